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
