//! Why a command stops, and the checks that commands share.

use gx_proto::gx::contract::v1::{CommandRefusal, LanesRecord, Refused};

use crate::batch::Rules;
use crate::book::Book;
use crate::keys;
use crate::lane::{LaneDomain, LaneName};
use crate::state::StateError;

/// Why a command stops.
pub(super) enum Stop {
    /// The rules refuse it.
    Refused(Refused),
    /// The state cannot be read, which says nothing about the command.
    State(StateError),
}

impl From<CommandRefusal> for Stop {
    fn from(reason: CommandRefusal) -> Self {
        Self::Refused(Refused {
            reason: reason.into(),
            ..Refused::default()
        })
    }
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<StateError> for Stop {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

/// Stops with the reason unless the condition holds.
pub(super) fn require(condition: bool, reason: CommandRefusal) -> Result<(), Stop> {
    if condition {
        Ok(())
    } else {
        Err(reason.into())
    }
}

/// The lane's domain is that of the certificate's role, so it tells whether the
/// role may submit the command.
pub(super) fn require_domain(rules: &Rules, domain: LaneDomain) -> Result<(), Stop> {
    require(rules.lane.domain == domain, CommandRefusal::Role)
}

/// The command belongs to the batch's lane.
pub(super) fn require_lane(rules: &Rules, lane: LaneName) -> Result<(), Stop> {
    require(rules.lane == lane, CommandRefusal::Lane)
}

/// The number of partner lanes of a chain that is bootstrapped.
pub(super) fn partner_lanes(book: &mut Book<'_>) -> Result<u32, Stop> {
    let lanes: Option<LanesRecord> = book.overlay.get(keys::LANES)?;
    match lanes {
        Some(record) => Ok(record.partner_lanes),
        None => Err(CommandRefusal::NotBootstrapped.into()),
    }
}
