//! Balances as one batch sees them.
//!
//! The batch *holds* the folded balances of the accounts of its lane that it
//! debits or folds, and of those that it opens. What comes to a held account goes
//! straight into its folded balance; what comes to any other gathers into one
//! credit an account, written without a look, so that receiving never collides
//! with the receiver's own spending in another lane.

use std::collections::{BTreeMap, BTreeSet};

use gx_proto::gx::contract::v1::{
    AccountRecord, BalanceRecord, CreditKey, CreditRecord, FoldedBalance, FoldedCredit,
    OpenedCredit,
};

use crate::keys;
use crate::lane::LaneName;
use crate::overlay::Overlay;
use crate::state::StateError;

/// The balances of a batch, over its overlay.
pub(crate) struct Book<'a> {
    /// Everything that is not a balance.
    pub(crate) overlay: Overlay<'a>,
    held: BTreeSet<String>,
    credits: BTreeMap<String, i64>,
    folded: Vec<FoldedCredit>,
}

/// What the batch did to balances, for its event.
pub(crate) struct BookChanges {
    pub(crate) folded: Vec<FoldedBalance>,
    pub(crate) credits_opened: Vec<OpenedCredit>,
    pub(crate) credits_folded: Vec<FoldedCredit>,
}

impl<'a> Book<'a> {
    pub(crate) fn new(overlay: Overlay<'a>, held: BTreeSet<String>) -> Self {
        Self {
            overlay,
            held,
            credits: BTreeMap::new(),
            folded: Vec::new(),
        }
    }

    /// The folded balance of a held account; `None` if it does not exist or is
    /// not held.
    pub(crate) fn balance(&mut self, id: &str) -> Result<Option<BalanceRecord>, StateError> {
        if self.held.contains(id) {
            self.overlay.get(&keys::balance(id))
        } else {
            Ok(None)
        }
    }

    /// What an account is. A held one is read from its balance, which the batch
    /// has anyway.
    pub(crate) fn account(&mut self, id: &str) -> Result<Option<AccountRecord>, StateError> {
        if self.held.contains(id) {
            Ok(self.balance(id)?.and_then(|balance| balance.account))
        } else {
            self.overlay.get(&keys::account(id))
        }
    }

    /// Opens an account with a first balance; from here on the batch holds it.
    pub(crate) fn open(&mut self, id: &str, account: AccountRecord, folded_qirat: i64) {
        self.overlay.put(keys::account(id), &account);
        let balance = BalanceRecord {
            folded_qirat,
            tax_timer_start_ms: 0,
            account: Some(account),
        };
        self.overlay.put(keys::balance(id), &balance);
        self.held.insert(id.to_owned());
    }

    /// Adds to an account that exists, whether it is held or not.
    ///
    /// # Errors
    /// Where the sum does not fit. All balances sum to the supply, which fits, so
    /// this is a broken state and not a refusal.
    pub(crate) fn add(&mut self, id: &str, delta_qirat: i64) -> Result<(), StateError> {
        let Some(mut balance) = self.balance(id)? else {
            let credit = self.credits.entry(id.to_owned()).or_default();
            *credit = sum(id, *credit, delta_qirat)?;
            return Ok(());
        };
        balance.folded_qirat = sum(id, balance.folded_qirat, delta_qirat)?;
        self.set_balance(id, &balance);
        Ok(())
    }

    /// Replaces a held account's folded balance.
    pub(crate) fn set_balance(&mut self, id: &str, balance: &BalanceRecord) {
        self.overlay.put(keys::balance(id), balance);
    }

    /// Folds a credit into its held account if it is still there; a missing one
    /// was folded already and counts nothing.
    pub(crate) fn fold(
        &mut self,
        id: &str,
        state_key: String,
        name: &CreditKey,
    ) -> Result<(), StateError> {
        let Some(credit) = self.overlay.get::<CreditRecord>(&state_key)? else {
            return Ok(());
        };
        self.add(id, credit.delta_qirat)?;
        self.overlay.remove(state_key);
        self.folded.push(FoldedCredit {
            account: id.to_owned(),
            key: Some(name.clone()),
        });
        Ok(())
    }

    /// Writes the gathered credits and tells what changed, in order of account.
    pub(crate) fn close(
        &mut self,
        msp_id: &str,
        lane: LaneName,
        first_sequence: u64,
    ) -> Result<BookChanges, StateError> {
        Ok(BookChanges {
            folded: self.changed_balances()?,
            credits_opened: self.write_credits(msp_id, lane, first_sequence),
            credits_folded: std::mem::take(&mut self.folded),
        })
    }

    fn changed_balances(&mut self) -> Result<Vec<FoldedBalance>, StateError> {
        let held = std::mem::take(&mut self.held);
        let mut changed = Vec::new();
        for account in held {
            let key = keys::balance(&account);
            if !self.overlay.changes(&key) {
                continue;
            }
            let balance: BalanceRecord = self.overlay.get(&key)?.unwrap_or_default();
            changed.push(FoldedBalance {
                account,
                balance_qirat: balance.folded_qirat,
                tax_timer_start_ms: balance.tax_timer_start_ms,
            });
        }
        Ok(changed)
    }

    /// A credit of 0 (a pool that paid as much as it got) leaves no key.
    fn write_credits(
        &mut self,
        msp_id: &str,
        lane: LaneName,
        first_sequence: u64,
    ) -> Vec<OpenedCredit> {
        let mut opened = Vec::new();
        for (account, delta_qirat) in std::mem::take(&mut self.credits) {
            if delta_qirat == 0 {
                continue;
            }
            let key = keys::credit(&account, msp_id, lane, first_sequence);
            self.overlay.put(key, &CreditRecord { delta_qirat });
            opened.push(OpenedCredit {
                account,
                delta_qirat,
            });
        }
        opened
    }
}

fn sum(id: &str, balance: i64, delta: i64) -> Result<i64, StateError> {
    balance
        .checked_add(delta)
        .ok_or_else(|| StateError(format!("balance of {id} exceeds the supply")))
}
