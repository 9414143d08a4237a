//! What every call has in common: a place among those under way, an end when the
//! devnet ends, and the faults of the wire.

use std::{future::Future, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Extensions, Response, Status};

use super::{connection::Cut, gateway::Peer, status::shut_down};
use crate::devnet::lock::lock;

/// Lets so many in at once.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) service: &'static str,
    pub(super) permits: Arc<Semaphore>,
    pub(super) max: usize,
}

impl Gate {
    /// A place, until it is dropped.
    ///
    /// # Errors
    /// UNKNOWN if there is none, as Fabric has it.
    pub(super) fn enter(&self) -> Result<OwnedSemaphorePermit, Status> {
        let place = self.permits.clone().try_acquire_owned();
        place.map_err(|_| self.full())
    }

    /// What callers hear when there is no place.
    pub(super) fn full(&self) -> Status {
        let Self { service, max, .. } = self;
        Status::unknown(format!(
            "too many requests for {service}, exceeding concurrency limit ({max})"
        ))
    }
}

impl Peer {
    /// Answers a call.
    ///
    /// # Errors
    /// With what `work` ends with, or if there is no place or no more devnet.
    pub(super) async fn answer<T>(
        &self,
        extensions: &Extensions,
        work: impl Future<Output = Result<T, Status>>,
    ) -> Result<Response<T>, Status> {
        let _place = self.gate.enter()?;
        let worked = async {
            let answer = work.await;
            self.suffer(extensions).await;
            answer
        };
        tokio::select! {
            answer = worked => answer.map(Response::new),
            () = self.cancel.cancelled() => Err(shut_down()),
        }
    }

    /// Lets the faults of the wire happen to an answer that is ready.
    async fn suffer(&self, extensions: &Extensions) {
        let broken = lock(&self.core.faults).drop_connection();
        if let Some(cut) = Cut::of(extensions).filter(|_| broken) {
            cut.cut();
            std::future::pending::<()>().await;
        }
        loop {
            let switched = self.core.switched.notified();
            if !lock(&self.core.faults).hold_answers {
                return;
            }
            switched.await;
        }
    }
}
