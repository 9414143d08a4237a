//! One moment of the read model: rows, and the block that they are of.

use sea_orm::DatabaseTransaction;

use crate::{app::App, checkpoint, error::Result};

/// A moment to read. Dropping it ends its transaction.
#[derive(Debug)]
pub struct Moment {
    /// Reads rows as they were at that moment.
    pub tx: DatabaseTransaction,
    /// The last block whose effects they show.
    pub as_of_block: u64,
}

impl Moment {
    /// A moment of the partition that a lane belongs to, at `min_block` or later.
    ///
    /// # Errors
    /// `STALE_READ` if `min_block` is not reached in time.
    pub async fn of_lane(app: &App, lane: &str, min_block: u64) -> Result<Self> {
        let partition = checkpoint::partition_of(lane, app.topology.partitions);
        if min_block > 0 {
            checkpoint::reach(app, Some(partition), min_block).await?;
        }
        let tx = app.store.snapshot().await?;
        let as_of_block = checkpoint::of(&tx, partition).await?;
        Ok(Self { tx, as_of_block })
    }

    /// A moment of all partitions, at `min_block` or later: every one of them has
    /// applied `as_of_block`, some may show more.
    ///
    /// # Errors
    /// As [`Moment::of_lane`].
    pub async fn of_all(app: &App, min_block: u64) -> Result<Self> {
        if min_block > 0 {
            checkpoint::reach(app, None, min_block).await?;
        }
        let tx = app.store.snapshot().await?;
        let as_of_block = checkpoint::lowest(&tx).await?;
        Ok(Self { tx, as_of_block })
    }
}
