//! What a batch will read, told from its commands alone, so that an
//! implementation with round trips fetches it in one go. The plan only gathers:
//! whether a command is done is decided when it runs.

use std::collections::{BTreeMap, BTreeSet};

use gx_proto::gx::contract::v1::command::Body;
use gx_proto::gx::contract::v1::{Batch, CreateAccount, Fold, Transfer};

use crate::account;
use crate::commands::create_account;
use crate::fees;
use crate::keys;
use crate::lane::{self, LaneDomain, LaneName};
use crate::params;

/// What a batch needs of the state.
#[derive(Default)]
pub(super) struct Plan<'a> {
    held: BTreeMap<&'a str, Need>,
    receivers: BTreeSet<&'a str>,
    others: BTreeSet<String>,
    charges: bool,
    judges: bool,
}

/// What the batch wants of an account whose balance it holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Need {
    /// The most that all its debits may come to, fees included, in Qirat.
    pub(super) debits: u128,
    /// Whether a Fold asks for its credits.
    pub(super) folds: bool,
}

impl<'a> Plan<'a> {
    /// A batch with more commands than any setting allows is refused anyway, so
    /// nothing is read for it.
    pub(super) fn of(batch: &'a Batch, lane: LaneName) -> Self {
        let mut plan = Self::default();
        let most = params::find(params::BATCH_MAX_COMMANDS).map_or(0, |row| row.max);
        if batch.commands.len() as u64 > most {
            return plan;
        }
        for command in &batch.commands {
            match &command.body {
                Some(Body::Transfer(transfer)) if lane.domain == LaneDomain::Partner => {
                    plan.add_transfer(transfer);
                }
                Some(Body::CreateAccount(create)) if lane.domain == LaneDomain::Partner => {
                    plan.add_create(create);
                }
                Some(Body::Fold(fold)) => plan.add_fold(fold),
                Some(Body::LoadCountries(_)) if lane.domain == LaneDomain::Sys => {
                    plan.others.insert(keys::COUNTRIES.to_owned());
                }
                _ => {}
            }
        }
        plan
    }

    /// Everything that the batch surely reads, in order of kind and name.
    pub(super) fn keys(&self, msp_id: &str, lane: LaneName) -> Vec<String> {
        let mut all = vec![
            keys::lane(msp_id, lane),
            keys::LANES.to_owned(),
            keys::parameter(params::RULES_VERSION),
            keys::parameter(params::BATCH_MAX_COMMANDS),
        ];
        if self.charges {
            all.extend(fees::parameter_keys().map(|key| keys::parameter(&key)));
        }
        if self.judges {
            all.push(keys::parameter(params::TAX_FLOOR_QIRAT));
        }
        all.extend(self.held.keys().map(|id| keys::balance(id)));
        let strangers = self
            .receivers
            .iter()
            .filter(|id| !self.held.contains_key(*id));
        all.extend(strangers.map(|id| keys::account(id)));
        all.extend(self.others.iter().cloned());
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Forgets the accounts of other lanes: commands on them are refused, and
    /// only an account's own lane holds its balance.
    pub(super) fn keep_lane(&mut self, lane: LaneName, partner_lanes: Option<u32>) {
        self.held
            .retain(|id, _| partner_lanes.is_some_and(|lanes| lane::of_account(id, lanes) == lane));
    }

    /// Whether the batch folds the account.
    pub(super) fn folds(&self, id: &str) -> bool {
        self.held.get(id).is_some_and(|need| need.folds)
    }

    /// The accounts whose balances the batch holds.
    pub(super) fn held(&self) -> BTreeSet<String> {
        self.held.keys().map(|id| (*id).to_owned()).collect()
    }

    /// The accounts whose balances the batch holds, with what it wants of them.
    pub(super) fn needs(&self) -> impl Iterator<Item = (&'a str, Need)> + '_ {
        self.held.iter().map(|(id, need)| (*id, *need))
    }

    /// Whether a command may be charged a fee.
    pub(super) fn charges(&self) -> bool {
        self.charges
    }

    /// Whether a fold may judge the tax timer.
    pub(super) fn judges(&self) -> bool {
        self.judges
    }

    fn add_transfer(&mut self, transfer: &'a Transfer) {
        let well_formed = [&transfer.sender, &transfer.receiver]
            .into_iter()
            .all(|id| account::is_well_formed(id));
        if !well_formed {
            return;
        }
        self.charges = true;
        self.receivers.insert(&transfer.receiver);
        let need = self.held.entry(&transfer.sender).or_default();
        // Two u64 a command and at most 5,000 commands: a u128 holds them.
        need.debits += u128::from(transfer.amount_qirat) + u128::from(transfer.max_fee_qirat);
    }

    fn add_create(&mut self, create: &'a CreateAccount) {
        if create_account::is_malformed(create)
            || !account::AccountId::is_canonical(&create.account)
        {
            return;
        }
        self.others.insert(keys::account(&create.account));
        self.others.insert(keys::commitment(&create.commitment));
        self.others.insert(keys::country(&create.country));
    }

    fn add_fold(&mut self, fold: &'a Fold) {
        if !account::is_well_formed(&fold.account) {
            return;
        }
        self.judges |= fold.judge;
        self.held.entry(&fold.account).or_default().folds = true;
    }
}
