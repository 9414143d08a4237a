//! `gx reconcile`: whether the read model says what the chain says.
//!
//! The chain's state is read at one moment: the cursors of all lanes, and every
//! balance up to exactly these cursors. Then the tool waits until every partition
//! has applied the block of that moment, and sums for each account the entries
//! that the cursors cover. So the comparison is exact while commands keep coming.
//!
//! From one snapshot of the database it also compares each wallet with all of its
//! entries, what it holds in reserve with the commands that wait, and the supply
//! with the chain's at that block.

mod chain;
mod compare;
mod model;

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::bail;
use serde::Serialize;

use super::{
    open,
    report::Report,
    table::{Qirat, Table},
};
use crate::{checkpoint, config::Config, store::Store};

pub use compare::{Bucket, Difference, What};

/// How often the checkpoints are looked at while waiting.
const POLL: Duration = Duration::from_millis(100);

/// How to compare.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How many seconds to wait until the read model has reached the chain.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub timeout_s: u64,
}

/// What comparing found.
#[derive(Debug, Serialize)]
pub struct Reconciliation {
    /// The block of the comparison.
    pub block: i64,
    /// Lanes whose cursors bound it.
    pub lanes: usize,
    /// Accounts compared.
    pub accounts: usize,
    /// All balances of the chain together.
    pub supply_qirat: Qirat,
    /// What waiting commands hold.
    pub reserved_qirat: Qirat,
    /// Accounts that differ.
    pub differences: Vec<Difference>,
    /// Parts of the supply that differ.
    pub buckets: Vec<Bucket>,
}

/// Compares the read model with the chain.
///
/// # Errors
/// If either cannot be read, or the read model does not reach the chain in time.
pub async fn run(config: Config, options: Options) -> anyhow::Result<Reconciliation> {
    let store = open::store(&config).await?;
    let folder = open::devnet(&config)?;
    let chain = tokio::task::spawn_blocking(move || chain::read(&folder)).await??;
    reach(&store, chain.block, Duration::from_secs(options.timeout_s)).await?;
    let model = model::read(&store, &chain).await?;
    Ok(Reconciliation {
        block: chain.block,
        lanes: chain.cursors.len(),
        accounts: chain.balances.len(),
        supply_qirat: chain.supply(),
        reserved_qirat: model.reserved(),
        differences: compare::accounts(&chain, &model),
        buckets: compare::supply(&chain, &model),
    })
}

/// Waits until every partition has applied a block.
async fn reach(store: &Store, block: i64, timeout: Duration) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let partitions = checkpoint::all(store.read()).await?;
        let behind = partitions.iter().find(|partition| partition.block < block);
        let Some(behind) = behind.or(partitions.is_empty().then_some(&NONE)) else {
            return Ok(());
        };
        let number = behind.partition;
        if let Some(reason) = &behind.stopped {
            bail!(
                "partition {number} stopped at block {}: {reason}",
                behind.block
            );
        }
        if begun.elapsed() >= timeout {
            bail!(
                "after {} s partition {number} of the read model is at block {}, the chain's \
                 balances are of block {block}; is gx running?",
                timeout.as_secs(),
                behind.block
            );
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Stands for the partitions of a system that was never started to the end.
static NONE: checkpoint::Model = checkpoint::Model {
    partition: 0,
    owner: None,
    token: None,
    lease_until_ms: 0,
    block: -1,
    hash: Vec::new(),
    block_time_ms: 0,
    height: 0,
    stopped: None,
};

impl Report for Reconciliation {
    fn is_sound(&self) -> bool {
        self.differences.is_empty() && self.buckets.is_empty()
    }
}

impl fmt::Display for Reconciliation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "compared {} accounts at block {}, by the cursors of {} lanes",
            self.accounts, self.block, self.lanes
        )?;
        writeln!(f, "all balances together: {}", self.supply_qirat)?;
        write!(f, "held by waiting commands: {}", self.reserved_qirat)?;
        if self.is_sound() {
            return write!(f, "\nchain and read model agree");
        }
        if !self.differences.is_empty() {
            write!(f, "\n\n{}", differences(&self.differences))?;
        }
        if !self.buckets.is_empty() {
            write!(f, "\n\n{}", buckets(&self.buckets))?;
        }
        write!(f, "\n\nchain and read model DIFFER")
    }
}

fn differences(differences: &[Difference]) -> Table {
    let mut table = Table::new(&["account", "what differs", "must be", "is"]);
    for one in differences {
        table.row([
            one.account.clone(),
            one.what.to_string(),
            one.expected_qirat.to_string(),
            one.found_qirat.to_string(),
        ]);
    }
    table
}

fn buckets(buckets: &[Bucket]) -> Table {
    let mut table = Table::new(&["part of the supply", "must be", "is"]);
    for one in buckets {
        table.row([
            one.bucket.to_owned(),
            one.expected_qirat.to_string(),
            one.found_qirat.to_string(),
        ]);
    }
    table
}
