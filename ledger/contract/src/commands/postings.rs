//! A command's changes of balances, booked and told in one step, so that the
//! event never says anything else than the books.

use gx_proto::gx::contract::v1::{Posting, PostingKind};

use crate::amount::Qirat;
use crate::book::Book;
use crate::state::StateError;

/// The postings of one command.
#[derive(Default)]
pub(super) struct Postings(Vec<Posting>);

impl Postings {
    /// Moves an amount from one account to another; the two postings sum to zero.
    /// Moving nothing leaves no posting.
    pub(super) fn transfer(
        &mut self,
        book: &mut Book<'_>,
        (from, to): (&str, &str),
        amount: Qirat,
        kind: PostingKind,
    ) -> Result<(), StateError> {
        if amount.is_zero() {
            return Ok(());
        }
        let delta_qirat = signed(amount)?;
        // A signed amount is not negative, so its negation fits.
        self.add(book, from, -delta_qirat, kind, to)?;
        self.add(book, to, delta_qirat, kind, from)
    }

    /// The supply's creation: the account is opened with it, so only told here.
    pub(super) fn genesis(&mut self, account: &str, supply_qirat: i64) {
        self.0.push(Posting {
            account: account.to_owned(),
            delta_qirat: supply_qirat,
            kind: PostingKind::Genesis.into(),
            counterparty: String::new(),
        });
    }

    pub(super) fn into_vec(self) -> Vec<Posting> {
        self.0
    }

    fn add(
        &mut self,
        book: &mut Book<'_>,
        account: &str,
        delta_qirat: i64,
        kind: PostingKind,
        counterparty: &str,
    ) -> Result<(), StateError> {
        book.add(account, delta_qirat)?;
        self.0.push(Posting {
            account: account.to_owned(),
            delta_qirat,
            kind: kind.into(),
            counterparty: counterparty.to_owned(),
        });
        Ok(())
    }
}

/// The amount with a sign. Every amount that gets here is within the supply,
/// which fits.
pub(super) fn signed(amount: Qirat) -> Result<i64, StateError> {
    amount
        .to_signed()
        .ok_or_else(|| StateError(format!("amount {amount} exceeds the supply")))
}
