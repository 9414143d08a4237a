//! From blocks to read models: the only writer of chain columns, outcomes and
//! checkpoints. Rows and checkpoint commit together; nothing is skipped.

mod apply;
pub mod deal;
pub mod exchange;
mod facts;
mod gauges;
mod outcome;
mod partition;
pub mod rebuild;
mod run;
mod shown;
mod tell;

use std::sync::Arc;

use gx_fabric::Ledger;

use crate::{app::Topology, cache::Wake, clock::SharedClock, store::Store, telemetry::Readiness};

pub use partition::{Applied, Partition, create_in};
pub use run::{housekeep, run};
pub use tell::tell_shown;

/// What partitions share.
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
    /// How accounts map to lanes.
    pub topology: Topology,
    /// The MSP whose lanes are this system's.
    pub msp_id: String,
    /// The name of this process in leases.
    pub owner: String,
    /// How long leases last, and how groups are cut.
    pub settings: Settings,
    /// Shows partitions that stopped.
    pub readiness: Readiness,
}

/// What partitions are set to.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How long a lease lasts without renewal.
    pub lease_ms: i64,
    /// How often to look again after a failure or without a lease.
    pub poll_ms: u64,
    /// Most blocks in one transaction.
    pub group_blocks: usize,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts")
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}
