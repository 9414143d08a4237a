//! So many calls at once and no more: further ones are refused before they cost
//! anything. Calls that only wait are counted apart, so that they crowd out none
//! that work, and so are those with large messages, so that they cannot take all memory.

use tokio::sync::SemaphorePermit;

use super::{Gate, call::Call, deadline::waits};
use crate::{
    auth::{UserId, policy},
    error::{Error, Result},
    limits::Share,
};

const UPLOAD: &str = "/gx.identity.v1.IdentityService/UploadDocument";
const BATCH: &str = "/gx.wallet.v1.WalletService/BatchTransfer";

/// The call's place, if there is room; `None` for a call that needs none.
pub(super) fn enter<'a>(gate: &'a Gate, call: &Call) -> Result<Option<SemaphorePermit<'a>>> {
    if policy::is_infrastructure(&call.path) {
        return Ok(None);
    }
    let room = if waits(call) {
        &gate.waiting
    } else {
        match call.rule.map(|rule| rule.method) {
            Some(UPLOAD) => &gate.rooms.uploads,
            Some(BATCH) => &gate.rooms.batches,
            _ => &gate.working,
        }
    };
    room.try_acquire()
        .map(Some)
        .map_err(|_| Error::overloaded())
}

/// The caller's part of the places for large messages: whoever sends some slowly does not
/// have them all. `None` for calls that have none.
pub(super) fn share(gate: &Gate, call: &Call) -> Result<Option<Share<UserId>>> {
    let is_large = call
        .rule
        .is_some_and(|rule| [UPLOAD, BATCH].contains(&rule.method));
    let Some(caller) = call.caller.get().filter(|_| is_large) else {
        return Ok(None);
    };
    let share = gate.rooms.large.take(caller.user);
    share.map(Some).ok_or_else(Error::overloaded)
}
