//! One moment of the read model: rows, and the block that they are of.

use metrics::counter;
use sea_orm::{DatabaseConnection, DatabaseTransaction};

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

    async fn of(app: &App, lane: Option<&str>, min_block: u64) -> Result<Self> {
        let begin = |db| async move {
            let tx = app.store.snapshot_of(&db).await?;
            let as_of_block = match lane {
                Some(lane) => checkpoint::of(&tx, lane).await?,
                None => checkpoint::lowest(&tx).await?,
            };
            Ok((as_of_block, tx))
        };
        let (as_of_block, tx) = read(app, lane, min_block, begin).await?;
        Ok(Self { tx, as_of_block })
    }
}

/// What `ask` finds, and the last block whose effects it shows, which is `min_block` or
/// later: in the copy where that has the block, else in the database itself. `ask` fails
/// only if the database does.
///
/// # Errors
/// `STALE_READ` if a lane's partition, or all if `None`, do not reach `min_block` in time.
pub async fn read<T, F>(
    app: &App,
    lane: Option<&str>,
    min_block: u64,
    ask: impl Fn(DatabaseConnection) -> F,
) -> Result<(u64, T)>
where
    F: Future<Output = Result<(u64, T)>>,
{
    if let Some(copy) = app.store.copy()
        && let Some(found) = of_copy(app, min_block, ask(copy.clone()).await)
    {
        return Ok(found);
    }
    if min_block > 0 {
        checkpoint::reach(app, lane, min_block).await?;
    }
    ask(app.store.read().clone()).await
}

/// A copy that is behind, or away, is passed over: it only takes reads off the database.
fn of_copy<T>(app: &App, min_block: u64, found: Result<(u64, T)>) -> Option<(u64, T)> {
    let told = |outcome| counter!(COPY_READS, "outcome" => outcome).increment(1);
    match found {
        Ok(found) if found.0 >= min_block => {
            told("read");
            Some(found)
        }
        Ok(_) => {
            told("behind");
            None
        }
        Err(error) => {
            told("away");
            tracing::debug!(%error, "the database's copy cannot be read");
            app.store.copy_is_away();
            None
        }
    }
}
