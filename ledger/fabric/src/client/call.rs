//! One call to one peer: room, deadline, and what is learnt of the peer.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tonic::{Request, Status};

use super::peer::{Peer, Peers};
use crate::LedgerError;

/// A call's deadline, and how its failures are read.
pub(super) struct Call {
    pub(super) deadline: Duration,
    pub(super) failure: fn(&Status) -> LedgerError,
}

impl Call {
    /// Asks the preferred peer once. Where that fails for a reason of the peer's, the
    /// next call asks another one.
    ///
    /// # Errors
    /// [`LedgerError::Overloaded`] if there was no room for the call in its time: it
    /// was not made then. Else what the failure says.
    pub(super) async fn ask<T>(
        self,
        peers: &Peers,
        work: impl AsyncFnOnce(&Peer) -> Result<T, Status>,
    ) -> Result<T, LedgerError> {
        let (place, peer) = peers.preferred();
        let deadline = Instant::now() + self.deadline;
        let Ok(room) = timeout_at(deadline, peer.window.acquire()).await else {
            let message = format!("{}: no room for another call", peer.address);
            return Err(LedgerError::Overloaded { message });
        };
        let _room = room.map_err(LedgerError::internal)?;
        let answer = match timeout_at(deadline, work(peer)).await {
            Ok(answer) => answer.map_err(|status| named((self.failure)(&status), peer)),
            Err(_) => Err(LedgerError::Timeout),
        };
        if answer.as_ref().is_err_and(may_be_the_peer) {
            peers.turn_from(place);
        }
        answer
    }

    /// A request that tells its deadline.
    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.deadline);
        request
    }
}

/// Says who could not be reached.
fn named(error: LedgerError, peer: &Peer) -> LedgerError {
    match error {
        LedgerError::Unavailable { message } => LedgerError::Unavailable {
            message: format!("{}: {message}", peer.address),
        },
        other => other,
    }
}

/// Whether another peer might have answered otherwise: it may be up where this one
/// is down, and ahead where this one lags.
fn may_be_the_peer(error: &LedgerError) -> bool {
    !matches!(
        error,
        LedgerError::TooLarge { .. } | LedgerError::EnvelopeRefused { .. }
    )
}
