//! A read model built from events alone, compared with the state.

use std::collections::BTreeMap;

use gx_proto::gx::contract::v1::command_outcome::Outcome;
use gx_proto::gx::contract::v1::{BalanceRecord, BatchCommitted, CreditRecord};
use prost::Message;

use super::memory::MemoryState;
use crate::keys;
use crate::lane::LaneName;

/// Balances as events tell them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Replay {
    /// Sum of postings, by account.
    pub(crate) totals: BTreeMap<String, i64>,
    /// Folded balance and timer, by account.
    pub(crate) folded: BTreeMap<String, (i64, i64)>,
    /// Open credits, by state key.
    pub(crate) credits: BTreeMap<String, i64>,
}

impl Replay {
    pub(crate) fn apply(&mut self, event: &BatchCommitted) {
        for outcome in &event.outcomes {
            if let Some(Outcome::Done(done)) = &outcome.outcome {
                for posting in &done.postings {
                    *self.totals.entry(posting.account.clone()).or_default() += posting.delta_qirat;
                }
            }
        }
        for row in &event.folded {
            let balance = (row.balance_qirat, row.tax_timer_start_ms);
            self.folded.insert(row.account.clone(), balance);
            self.totals.entry(row.account.clone()).or_default();
        }
        let lane = LaneName::try_from(event.lane.as_ref().expect("a lane")).expect("a lane");
        for row in &event.credits_opened {
            let key = keys::credit(&row.account, &event.msp_id, lane, event.first_sequence);
            assert_eq!(self.credits.insert(key, row.delta_qirat), None);
        }
        for row in &event.credits_folded {
            let name = row.key.as_ref().expect("a key");
            let lane = LaneName::try_from(name.lane.as_ref().expect("a lane")).expect("a lane");
            let key = keys::credit(&row.account, &name.msp_id, lane, name.first_sequence);
            assert!(self.credits.remove(&key).is_some(), "{key} was not open");
        }
    }

    /// The same from the state.
    pub(crate) fn of_state(state: &MemoryState) -> Self {
        let mut replay = Self::default();
        for (key, bytes) in &state.committed {
            if let Some(account) = keys::account_of_balance(key) {
                let record = BalanceRecord::decode(bytes.as_slice()).expect("a balance");
                let balance = (record.folded_qirat, record.tax_timer_start_ms);
                replay.folded.insert(account.to_owned(), balance);
                *replay.totals.entry(account.to_owned()).or_default() += record.folded_qirat;
            } else if let Some(rest) = key.strip_prefix("delta/") {
                let record = CreditRecord::decode(bytes.as_slice()).expect("a credit");
                let (account, _) = rest.split_once('/').expect("an account");
                replay.credits.insert(key.clone(), record.delta_qirat);
                *replay.totals.entry(account.to_owned()).or_default() += record.delta_qirat;
            }
        }
        replay
    }

    /// All coins there are.
    pub(crate) fn supply(&self) -> i64 {
        self.totals.values().sum()
    }
}
