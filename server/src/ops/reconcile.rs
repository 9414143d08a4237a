//! `gx reconcile`: whether the read model says what the chain says.
//!
//! The chain is asked for its balances, page by page. Each page comes from one
//! simulation and tells the cursors of all lanes, up to exactly which its balances go.
//! Then the tool waits until the read model has passed these cursors, and sums for
//! each account the entries that its page's cursors cover. So the comparison is exact
//! while commands keep coming.
//!
//! From one snapshot of the database it also compares each wallet with all of its
//! entries, what it holds in reserve with the commands that wait, and the supply with
//! the entries up to the last block that every partition has applied.

mod chain;
mod compare;
mod model;
mod patience;

use std::{collections::BTreeMap, fmt, time::Duration};

use anyhow::{Context as _, bail};
use gx_fabric::Ledger;
use sea_orm::entity::prelude::*;
use serde::Serialize;
use tokio::time::Instant;

use patience::Patience;

use super::{
    open,
    report::Report,
    table::{Qirat, Table},
};
use crate::{checkpoint, config::Config, network, outbox::entity::lane, store::Store};

pub use compare::{Bucket, Difference, What};

/// How often the checkpoints are looked at while waiting.
const POLL: Duration = Duration::from_millis(100);

/// How to compare.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How many seconds to wait for a ledger that does not answer, and then until the
    /// read model has reached the chain.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub timeout_s: u64,
}

/// What comparing found.
#[derive(Debug, Serialize)]
pub struct Reconciliation {
    /// The block up to which the supply was compared.
    pub block: i64,
    /// Lanes whose cursors bound it.
    pub lanes: usize,
    /// Accounts compared.
    pub accounts: usize,
    /// All entries up to that block together.
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
/// If either cannot be read, the ledger does not answer in time, or the read model does
/// not reach the chain in time.
pub async fn run(config: Config, options: Options) -> anyhow::Result<Reconciliation> {
    let ledger = network::connect(&config)?;
    compare(&config, &ledger, &options).await
}

/// The number of the last command of each lane on the chain.
///
/// # Errors
/// If the ledger fails.
pub(super) async fn cursors(ledger: &dyn Ledger) -> anyhow::Result<BTreeMap<String, i64>> {
    let chain = chain::read(ledger, &Patience::NONE).await?;
    let cursors = chain.cursors().into_iter();
    Ok(cursors
        .map(|(lane, number)| (lane.to_owned(), number))
        .collect())
}

/// As [`run`], over a connection that is there.
///
/// # Errors
/// As [`run`].
pub async fn compare(
    config: &Config,
    ledger: &dyn Ledger,
    options: &Options,
) -> anyhow::Result<Reconciliation> {
    let store = open::store(config).await?;
    let timeout = Duration::from_secs(options.timeout_s);
    let patience = Patience::until(Instant::now() + timeout);
    let chain = chain::read(ledger, &patience).await?;
    // Whatever the answers were made of stands in a block below this height.
    let height = patience.ask(|| ledger.height()).await;
    let height = height.context("the ledger's height")?;
    reach(&store, i64::try_from(height)? - 1, &chain, timeout).await?;
    let model = model::read(&store, &chain).await?;
    Ok(Reconciliation {
        block: model.block,
        lanes: chain.cursors().len(),
        accounts: chain.balances().count(),
        supply_qirat: model.supply(),
        reserved_qirat: model.reserved(),
        differences: compare::accounts(&chain, &model),
        buckets: compare::supply(&model),
    })
}

/// Waits until every partition has applied a block, and every lane's settled cursor
/// has reached the chain's answers: they may come from a peer that was ahead of those
/// asked for the height.
async fn reach(
    store: &Store,
    block: i64,
    chain: &chain::Chain,
    timeout: Duration,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let partitions = checkpoint::all(store.read()).await?;
        let lowest = partitions.iter().min_by_key(|partition| partition.block);
        let lowest = lowest.unwrap_or(&NONE);
        if lowest.block >= block && settled(store, chain).await? {
            return Ok(());
        }
        let (number, at) = (lowest.partition, lowest.block);
        if let Some(reason) = &lowest.stopped {
            bail!("partition {number} stopped at block {at}: {reason}");
        }
        if begun.elapsed() >= timeout {
            bail!(
                "after {} s partition {number} of the read model is at block {at}, the chain's \
                 balances are of block {block}; is gx running?",
                timeout.as_secs(),
            );
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Whether no lane's settled cursor is behind the chain's answers.
async fn settled(store: &Store, chain: &chain::Chain) -> anyhow::Result<bool> {
    let lanes = lane::Entity::find().all(store.read()).await?;
    let settled = |name: &str| lanes.iter().find(|row| row.name == name);
    Ok(chain
        .cursors()
        .into_iter()
        .all(|(lane, number)| settled(lane).is_none_or(|row| row.settled().number >= number)))
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
            "compared {} accounts by the cursors of {} lanes, the supply at block {}",
            self.accounts, self.lanes, self.block
        )?;
        writeln!(f, "all entries together: {}", self.supply_qirat)?;
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
