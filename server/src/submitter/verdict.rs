//! What a failure means for a batch. The ledger's errors say what is known of the
//! transaction; here stands what is done about it, one enum for all.

use gx_fabric::{LedgerError, ValidationFlag};
use gx_proto::gx::contract::v1::{BatchRefusal, BatchRefused};

use super::form::Formed;
use crate::outbox::lanes::Cursor;

/// What is done about a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The same batch again, later.
    Again,
    /// Nobody knows whether the transaction was ordered: ask for its status, and
    /// send the same envelope again.
    Unknown,
    /// This envelope will never take effect: propose the same commands with the
    /// same numbers anew, at once if it merely lost a race.
    Dead { at_once: bool },
    /// The batch itself may be at fault.
    OwnFault,
    /// The lane's place is not the one that the batch was formed on, or a limit is
    /// another: form anew from the settled cursor, with at most so many commands.
    Recover { limit: Option<usize> },
    /// The batch is in the chain: wait until the projector has read it.
    InChain,
    /// The lane must not go on; somebody is called.
    Hold(String),
}

impl Verdict {
    /// The failure's class, as the outbox shows it.
    pub(super) fn class(&self) -> &'static str {
        match self {
            Self::Again => "again",
            Self::Unknown => "unknown",
            Self::Dead { .. } => "dead",
            Self::OwnFault => "own fault",
            Self::Recover { .. } => "recover",
            Self::InChain => "in chain",
            Self::Hold(_) => "hold",
        }
    }
}

/// A failure while endorsing.
pub(super) fn endorsing(error: &LedgerError, formed: &Formed) -> Verdict {
    match error {
        LedgerError::BatchRefused(refused) => refused_whole(refused, formed),
        LedgerError::Chaincode { .. } | LedgerError::TooLarge { .. } => Verdict::OwnFault,
        LedgerError::EnvelopeRefused { .. } => Verdict::Dead { at_once: false },
        LedgerError::Unavailable { .. }
        | LedgerError::Overloaded { .. }
        | LedgerError::Disagree { .. }
        | LedgerError::Timeout
        | LedgerError::Internal { .. } => Verdict::Again,
    }
}

/// A failure while submitting, or while asking for the status.
pub(super) fn submitting(error: &LedgerError) -> Verdict {
    match error {
        LedgerError::EnvelopeRefused { .. } => Verdict::Dead { at_once: false },
        _ => Verdict::Unknown,
    }
}

/// What the peers made of the transaction; `None` if it took effect.
pub(super) fn flagged(flag: ValidationFlag) -> Option<Verdict> {
    match flag {
        ValidationFlag::VALID => None,
        ValidationFlag::DUPLICATE_TXID => Some(Verdict::Unknown),
        ValidationFlag::MVCC_READ_CONFLICT => Some(Verdict::Dead { at_once: true }),
        _ => Some(Verdict::Dead { at_once: false }),
    }
}

fn refused_whole(refused: &BatchRefused, formed: &Formed) -> Verdict {
    match refused.reason() {
        BatchRefusal::LaneCursor => cursor(refused, formed),
        BatchRefusal::TooManyCommands => Verdict::Recover {
            limit: usize::try_from(refused.limit)
                .ok()
                .filter(|limit| *limit > 0),
        },
        BatchRefusal::TooManyCredits => Verdict::Recover {
            limit: Some(formed.ids.len().div_ceil(2)),
        },
        BatchRefusal::RulesVersion => Verdict::Hold(format!(
            "version {} of the rules is in force",
            refused.limit
        )),
        BatchRefusal::Lane => {
            Verdict::Hold("the ledger knows no such lane for this identity".into())
        }
        BatchRefusal::Malformed | BatchRefusal::Unspecified => Verdict::OwnFault,
    }
}

/// The lane's cursor is not the batch's base.
fn cursor(refused: &BatchRefused, formed: &Formed) -> Verdict {
    let Some(cursor) = &refused.cursor else {
        return Verdict::Recover { limit: None };
    };
    let Ok(number) = i64::try_from(cursor.number) else {
        return Verdict::Recover { limit: None };
    };
    let on_chain = Cursor::new(number, &cursor.digest);
    if on_chain == formed.end {
        Verdict::InChain
    } else if number < formed.base.number {
        // The peer is behind: it has not applied the batch before this one.
        Verdict::Again
    } else {
        Verdict::Recover { limit: None }
    }
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::contract::v1::{Batch, LaneCursor};

    use super::*;

    const BASE: Cursor = Cursor {
        number: 7,
        digest: [7; 32],
    };
    const END: Cursor = Cursor {
        number: 9,
        digest: [9; 32],
    };

    fn formed() -> Formed {
        Formed {
            base: BASE,
            end: END,
            batch: Batch::default(),
            ids: vec![uuid::Uuid::nil(); 2],
            voids_only: false,
        }
    }

    fn refused(reason: BatchRefusal, limit: u64, cursor: Option<Cursor>) -> Verdict {
        let cursor = cursor.map(|cursor| LaneCursor {
            number: u64::try_from(cursor.number).unwrap(),
            digest: cursor.digest.to_vec().into(),
            time_ms: 0,
        });
        let refused = BatchRefused {
            reason: reason.into(),
            cursor,
            limit,
        };
        endorsing(&LedgerError::BatchRefused(refused), &formed())
    }

    #[test]
    fn a_cursor_behind_the_base_is_a_peer_that_lags() {
        let behind = Cursor {
            number: 5,
            digest: [5; 32],
        };
        assert_eq!(
            refused(BatchRefusal::LaneCursor, 0, Some(behind)),
            Verdict::Again
        );
    }

    #[test]
    fn a_cursor_at_the_end_is_the_batch_itself() {
        assert_eq!(
            refused(BatchRefusal::LaneCursor, 0, Some(END)),
            Verdict::InChain
        );
    }

    #[test]
    fn any_other_cursor_is_recovered_from() {
        let others = [
            Cursor {
                digest: [8; 32],
                ..END
            },
            Cursor {
                digest: [8; 32],
                ..BASE
            },
            Cursor {
                number: 12,
                digest: [12; 32],
            },
        ];
        for other in others {
            let verdict = refused(BatchRefusal::LaneCursor, 0, Some(other));
            assert_eq!(verdict, Verdict::Recover { limit: None }, "{other:?}");
        }
    }

    #[test]
    fn a_refusal_for_size_forms_by_the_limit_that_it_names() {
        let many = refused(BatchRefusal::TooManyCommands, 500, None);
        assert_eq!(many, Verdict::Recover { limit: Some(500) });
        let credits = refused(BatchRefusal::TooManyCredits, 256, None);
        assert_eq!(credits, Verdict::Recover { limit: Some(1) });
    }

    #[test]
    fn unknown_rules_hold_the_lane() {
        assert!(matches!(
            refused(BatchRefusal::RulesVersion, 2, None),
            Verdict::Hold(_)
        ));
    }

    #[test]
    fn only_flags_decide_about_an_ordered_transaction() {
        assert_eq!(flagged(ValidationFlag::VALID), None);
        assert_eq!(
            flagged(ValidationFlag::DUPLICATE_TXID),
            Some(Verdict::Unknown)
        );
        let race = Some(Verdict::Dead { at_once: true });
        assert_eq!(flagged(ValidationFlag::MVCC_READ_CONFLICT), race);
        assert_eq!(
            flagged(ValidationFlag(10)),
            Some(Verdict::Dead { at_once: false })
        );
        assert_eq!(submitting(&LedgerError::Timeout), Verdict::Unknown);
    }
}
