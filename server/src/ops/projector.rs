//! `gx projector status`: how far the read model follows the chain.

use std::fmt;

use gx_fabric::Ledger as _;
use sea_orm::EntityTrait;
use serde::Serialize;

use super::{
    open,
    report::Report,
    table::{Table, age, moment},
};
use crate::{
    checkpoint,
    clock::{Clock, SystemClock},
    config::Config,
    network,
    outbox::entity::control,
};

/// How far every partition is.
#[derive(Debug, Serialize)]
pub struct Status {
    /// The number of the chain's blocks.
    height: i64,
    /// Whether the database went back, and follows the ledger again.
    catching_up: bool,
    partitions: Vec<Partition>,
}

/// One partition.
#[derive(Debug, Serialize)]
struct Partition {
    partition: i32,
    /// The last block applied; -1 before the first.
    checkpoint: i64,
    /// Blocks still to apply; a quiet chain has 0.
    lag_blocks: i64,
    block_time: Option<String>,
    /// Who applies blocks; nobody where no lease is held.
    owner: Option<String>,
    /// Why it stopped.
    stopped: Option<String>,
    #[serde(skip)]
    block_age: String,
}

/// Reads all checkpoints, and the height of the chain.
///
/// # Errors
/// If the database cannot be read.
pub async fn status(config: Config, (): ()) -> anyhow::Result<Status> {
    let store = open::store(&config).await?;
    // The checkpoints before the height: none is ever beyond it.
    let snapshot = store.snapshot().await?;
    let rows = checkpoint::all(&snapshot).await?;
    let control = control::Entity::find_by_id(1).one(&snapshot).await?;
    let height = match height(&config).await {
        Ok(height) => i64::try_from(height)?,
        Err(error) => {
            tracing::warn!(%error, "the height is the last one that the projector saw");
            rows.iter().map(|row| row.height).max().unwrap_or(0)
        }
    };
    let now_ms = SystemClock.now_ms();
    let rows = rows.into_iter();
    Ok(Status {
        height,
        catching_up: control.is_some_and(|control| control.catching_up()),
        partitions: rows.map(|row| Partition::of(row, height, now_ms)).collect(),
    })
}

async fn height(config: &Config) -> anyhow::Result<u64> {
    Ok(network::connect(config)?.height().await?)
}

impl Partition {
    fn of(row: checkpoint::Model, height: i64, now_ms: i64) -> Self {
        let applied = row.block >= 0;
        Self {
            partition: row.partition,
            checkpoint: row.block,
            lag_blocks: (height - 1 - row.block).max(0),
            block_time: applied.then(|| moment(row.block_time_ms)),
            block_age: match applied {
                true => format!("{} ago", age(now_ms, row.block_time_ms)),
                false => "-".to_owned(),
            },
            owner: row.owner.filter(|_| row.lease_until_ms > now_ms),
            stopped: row.stopped,
        }
    }
}

impl Report for Status {
    /// A partition that stopped, or a database that went back, needs somebody.
    fn is_sound(&self) -> bool {
        !self.catching_up && self.partitions.iter().all(|one| one.stopped.is_none())
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&[
            "partition",
            "checkpoint",
            "lag",
            "last block",
            "owner",
            "state",
        ]);
        for one in &self.partitions {
            let stopped = one.stopped.as_ref();
            table.row([
                one.partition.to_string(),
                one.checkpoint.to_string(),
                one.lag_blocks.to_string(),
                one.block_age.clone(),
                one.owner.clone().unwrap_or_else(|| "nobody".to_owned()),
                stopped.map_or_else(|| "runs".to_owned(), |why| format!("STOPPED: {why}")),
            ]);
        }
        write!(f, "{table}\nthe chain has {} blocks", self.height)?;
        if self.catching_up {
            write!(f, "\nthe database went back and follows the ledger again")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(block: i64, lease_until_ms: i64, stopped: Option<&str>) -> checkpoint::Model {
        checkpoint::Model {
            partition: 1,
            owner: Some("one".to_owned()),
            token: None,
            lease_until_ms,
            block,
            hash: Vec::new(),
            block_time_ms: 1_000,
            height: 5,
            stopped: stopped.map(str::to_owned),
        }
    }

    #[test]
    fn lag_counts_blocks_that_are_not_applied() {
        for (block, height, lag) in [(4, 5, 0), (2, 5, 2), (-1, 5, 5), (7, 5, 0)] {
            let one = Partition::of(row(block, 0, None), height, 0);
            assert_eq!(one.lag_blocks, lag);
        }
    }

    #[test]
    fn a_stopped_partition_is_not_sound_and_an_old_lease_is_nobodys() {
        let status = |row| Status {
            height: 5,
            catching_up: false,
            partitions: vec![Partition::of(row, 5, 2_000)],
        };
        let running = status(row(4, 3_000, None));
        assert!(running.is_sound() && running.to_string().contains("one"));
        let stopped = status(row(4, 2_000, Some("unreadable")));
        let text = stopped.to_string();
        assert!(!stopped.is_sound());
        assert!(text.contains("nobody") && text.contains("STOPPED: unreadable"));
    }
}
