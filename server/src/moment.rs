//! One moment of the read model: rows, and the block that they are of.

use metrics::counter;
use sea_orm::DatabaseTransaction;

use crate::{app::App, checkpoint, error::Result, telemetry::metrics::COPY_READS};

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
        Self::of(app, Some(lane), min_block).await
    }

    /// A moment of all partitions, at `min_block` or later: every one of them has
    /// applied `as_of_block`, some may show more.
    ///
    /// # Errors
    /// As [`Moment::of_lane`].
    pub async fn of_all(app: &App, min_block: u64) -> Result<Self> {
        Self::of(app, None, min_block).await
    }

    /// From the copy where that has the block, else from the database itself.
    async fn of(app: &App, lane: Option<&str>, min_block: u64) -> Result<Self> {
        if let Some(moment) = Self::of_copy(app, lane, min_block).await {
            return Ok(moment);
        }
        if min_block > 0 {
            checkpoint::reach(app, lane, min_block).await?;
        }
        let tx = app.store.snapshot().await?;
        Self::at(tx, lane).await
    }

    /// A copy that is behind, or away, is passed over: it only takes reads off the
    /// database.
    async fn of_copy(app: &App, lane: Option<&str>, min_block: u64) -> Option<Self> {
        let told = |outcome| counter!(COPY_READS, "outcome" => outcome).increment(1);
        let moment = match app.store.snapshot_of_copy().await {
            Ok(tx) => Self::at(tx?, lane).await,
            Err(error) => Err(error.into()),
        };
        match moment {
            Ok(moment) if moment.as_of_block >= min_block => {
                told("read");
                Some(moment)
            }
            Ok(_) => {
                told("behind");
                None
            }
            Err(error) => {
                told("away");
                tracing::debug!(%error, "the database's copy cannot be read");
                None
            }
        }
    }

    async fn at(tx: DatabaseTransaction, lane: Option<&str>) -> Result<Self> {
        let as_of_block = match lane {
            Some(lane) => checkpoint::of(&tx, lane).await?,
            None => checkpoint::lowest(&tx).await?,
        };
        Ok(Self { tx, as_of_block })
    }
}
