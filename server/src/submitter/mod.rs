//! From the outbox to the ledger: each lane's oldest commands as one Fabric
//! transaction, one in flight a lane; while it flies the next gathers. Never writes
//! an outcome: what happened is read from blocks, by the projector.

mod backoff;
mod credits;
mod form;
mod lane;
mod recover;
mod run;
mod split;
mod verdict;

use std::sync::Arc;

use gx_fabric::Ledger;

use crate::{cache::Wake, clock::SharedClock, config, store::Store};

pub use lane::{LaneWorker, Next};
pub use run::run;

/// What lane workers share.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Tells the time.
    pub clock: SharedClock,
    /// The chain.
    pub ledger: Arc<dyn Ledger>,
    /// Wake-ups.
    pub wake: Wake,
    /// `[lanes]`.
    pub settings: config::Lanes,
    /// The name of this process in leases.
    pub owner: String,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts")
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}
