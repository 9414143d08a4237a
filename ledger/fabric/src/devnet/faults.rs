//! What goes wrong on purpose. Everything is switched by the caller and nothing by
//! chance, so a run with faults can be run again.

use std::collections::BTreeMap;

use crate::LedgerError;

/// Faults that are switched on. A counter hits the next so many calls and is then
/// spent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    /// Submits that the orderer refuses; they are not ordered.
    pub refuse_envelopes: u32,
    /// Submits that get lost on their way; they are not ordered and answer
    /// [`LedgerError::Unavailable`].
    pub lose_submits: u32,
    /// Submits whose answer gets lost: they are ordered and answer
    /// [`LedgerError::Unavailable`].
    pub drop_submit_answers: u32,
    /// Submits that arrive twice.
    pub duplicate_submits: u32,
    /// Endorsements that the gateway has no room for.
    pub overload: u32,
    /// Status calls whose answer gets lost: they time out, whatever is known.
    pub drop_status_answers: u32,
    /// Transactions that are flagged as read conflicts though they are none.
    pub conflicts: u32,
    /// Calls over the wire whose connection breaks when their answer is ready.
    pub drop_connections: u32,
    /// Answers over the wire are held back for as long as this is on.
    pub hold_answers: bool,
    /// Faults of endorsers, by their index; these last until they are removed.
    pub endorsers: BTreeMap<usize, EndorserFault>,
}

/// What is wrong with one endorser.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EndorserFault {
    /// It answers this to everything.
    pub fails: Option<LedgerError>,
    /// It has not seen the last so many blocks, at most 64 and none from before the
    /// chain was opened. What was committed stays committed: height, statuses and
    /// blocks come from a peer that is not behind.
    pub behind: u64,
}

impl Faults {
    /// How often an envelope reaches the orderer, and what the submitter hears.
    pub(super) fn submit(&mut self) -> (u32, Result<(), LedgerError>) {
        if spend(&mut self.refuse_envelopes) {
            let message = "the orderer was told to refuse it".into();
            return (0, Err(LedgerError::EnvelopeRefused { message }));
        }
        if spend(&mut self.lose_submits) {
            return (0, lost());
        }
        let copies = 1 + u32::from(spend(&mut self.duplicate_submits));
        let answer = if spend(&mut self.drop_submit_answers) {
            lost()
        } else {
            Ok(())
        };
        (copies, answer)
    }

    /// Whether the gateway has no room for an endorsement.
    pub(super) fn endorse(&mut self) -> Result<(), LedgerError> {
        match spend(&mut self.overload) {
            true => Err(LedgerError::Overloaded {
                message: "the gateway was told to be".into(),
            }),
            false => Ok(()),
        }
    }

    /// Whether the answer to a status call gets lost.
    pub(super) fn status(&mut self) -> Result<(), LedgerError> {
        if spend(&mut self.drop_status_answers) {
            Err(LedgerError::Timeout)
        } else {
            Ok(())
        }
    }

    /// Whether the connection of a call breaks.
    pub(super) fn drop_connection(&mut self) -> bool {
        spend(&mut self.drop_connections)
    }

    /// What is wrong with an endorser.
    pub(super) fn endorser(&self, index: usize) -> EndorserFault {
        self.endorsers.get(&index).cloned().unwrap_or_default()
    }
}

fn lost() -> Result<(), LedgerError> {
    Err(LedgerError::Unavailable {
        message: "connection reset".into(),
    })
}

fn spend(counter: &mut u32) -> bool {
    let hit = *counter > 0;
    *counter -= u32::from(hit);
    hit
}
