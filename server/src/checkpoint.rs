//! How far each partition of the read model is, and waiting for a block.

use std::time::Duration;

use gx_contract::lane::spread;
use gx_proto::gx::common::v1::Reason;
use sea_orm::{Condition, ConnectionTrait, JoinType, QueryOrder, QueryTrait, entity::prelude::*};

use crate::{
    app::App,
    error::{Error, Result},
};

/// How long a read waits for `min_block`.
const WAIT: Duration = Duration::from_secs(5);

/// How often it looks without having been woken.
const POLL: Duration = Duration::from_millis(500);

/// One row of `projector_state`: a partition and its checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "projector_state")]
pub struct Model {
    /// The partition's number.
    #[sea_orm(primary_key, auto_increment = false)]
    pub partition: i32,
    /// The process that holds the lease.
    pub owner: Option<String>,
    /// The lease's random token.
    pub token: Option<Uuid>,
    /// When the lease ends.
    pub lease_until_ms: i64,
    /// The last block applied; -1 before the first.
    pub block: i64,
    /// That block's hash; 32 zero bytes before the first.
    pub hash: Vec<u8>,
    /// That block's time.
    pub block_time_ms: i64,
    /// The ledger's height, as last seen.
    pub height: i64,
    /// Why the partition stopped; empty while it runs.
    pub stopped: Option<String>,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The partition of a lane, by a hash of its full name.
pub fn partition_of(lane: &str, partitions: i32) -> i32 {
    let partitions = u64::try_from(partitions.max(1)).unwrap_or(1);
    i32::try_from(spread(lane) % partitions).unwrap_or(0)
}

/// All partitions in order.
///
/// # Errors
/// If the database fails.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>> {
    Ok(Entity::find()
        .order_by_asc(Column::Partition)
        .all(db)
        .await?)
}

/// How many partitions there are now: as many as rows.
///
/// # Errors
/// If the database fails.
pub async fn count(db: &impl ConnectionTrait) -> Result<i32> {
    let rows = Entity::find().count(db).await?;
    Ok(i32::try_from(rows).unwrap_or(i32::MAX))
}

/// The checkpoint of the partition that a lane belongs to; give the connection of the
/// read that it belongs to. Partitions are counted in the same statement, so that they
/// may be dealt anew at any moment.
///
/// # Errors
/// If the database fails.
pub async fn of(db: &impl ConnectionTrait, lane: &str) -> Result<u64> {
    let rows = all(db).await?;
    let partition = partition_of(lane, i32::try_from(rows.len()).unwrap_or(i32::MAX));
    let row = rows.iter().find(|row| row.partition == partition);
    Ok(row
        .and_then(|row| u64::try_from(row.block).ok())
        .unwrap_or(0))
}

/// The same, and the row beside it that a condition finds: both are of one moment, since
/// one statement reads them.
///
/// # Errors
/// If the database fails.
pub async fn of_with<E: EntityTrait>(
    db: &impl ConnectionTrait,
    lane: &str,
    row: E,
    condition: Condition,
) -> Result<(u64, Option<E::Model>)> {
    let mut both = Entity::find().select_also(row);
    QueryTrait::query(&mut both).join(JoinType::LeftJoin, row.table_ref(), condition);
    let rows = both.all(db).await?;
    let partition = partition_of(lane, i32::try_from(rows.len()).unwrap_or(i32::MAX));
    let found = rows.into_iter().find(|(row, _)| row.partition == partition);
    Ok(found.map_or((0, None), |(row, beside)| {
        (u64::try_from(row.block).unwrap_or(0), beside)
    }))
}

/// The lowest checkpoint of all partitions: up to it everything is applied.
///
/// # Errors
/// If the database fails.
pub async fn lowest(db: &impl ConnectionTrait) -> Result<u64> {
    let lowest = all(db)
        .await?
        .into_iter()
        .map(|row| row.block)
        .min()
        .unwrap_or(-1);
    Ok(u64::try_from(lowest).unwrap_or(0))
}

/// The lowest checkpoint, once every partition has applied a block, and that block's
/// hash.
///
/// # Errors
/// If the database fails.
pub async fn lowest_block(db: &impl ConnectionTrait) -> Result<Option<(i64, Vec<u8>)>> {
    let lowest = all(db).await?.into_iter().min_by_key(|row| row.block);
    Ok(lowest
        .filter(|row| row.block >= 0)
        .map(|row| (row.block, row.hash)))
}

/// How many blocks every partition has applied: what is below is shown.
///
/// # Errors
/// If the database fails.
pub async fn applied(db: &impl ConnectionTrait) -> Result<u64> {
    let blocks = all(db).await?.into_iter().map(|row| row.block + 1);
    Ok(u64::try_from(blocks.min().unwrap_or(0)).unwrap_or(0))
}

/// Waits until the lane's partition, or all if `None`, has applied `min_block`.
///
/// # Errors
/// `STALE_READ` if that takes too long, `OVERLOADED` if too many wait already.
pub async fn reach(app: &App, lane: Option<&str>, min_block: u64) -> Result<()> {
    if current(app, lane).await? >= min_block {
        return Ok(());
    }
    let room = app.rooms.waits.try_acquire();
    let _place = room.map_err(|_| Error::overloaded())?;
    let mut projected = app.wake.projected();
    let reached = tokio::time::timeout(WAIT, async {
        loop {
            projected.mark_unchanged();
            if current(app, lane).await? >= min_block {
                return Ok::<(), Error>(());
            }
            // A process without the projector hears no wake-up: it looks again.
            let _ = tokio::time::timeout(POLL, projected.changed()).await;
        }
    });
    match reached.await {
        Ok(result) => result,
        Err(_) => Err(Error::rejected(
            Reason::StaleRead,
            "the read model has not reached min_block",
        )
        .with("min_block", min_block.to_string())
        .with("as_of_block", current(app, lane).await?.to_string())),
    }
}

async fn current(app: &App, lane: Option<&str>) -> Result<u64> {
    match lane {
        Some(lane) => of(app.store.read(), lane).await,
        None => lowest(app.store.read()).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{app::Rooms, fixture};

    #[tokio::test]
    async fn only_so_many_wait_and_whoever_need_not_is_let_through() {
        let app = fixture::app().await;
        fixture::apply_all(&app, 3).await;
        let full = app.rooms.waits.acquire_many(Rooms::WAITS).await.unwrap();
        reach(&app, None, 3).await.unwrap();
        for lane in [None, Some("partner/0")] {
            let refused = reach(&app, lane, 4).await.unwrap_err();
            assert_eq!(refused.reason(), Reason::Overloaded);
        }

        drop(full);
        let (reached, ()) = tokio::join!(reach(&app, None, 4), fixture::apply_all(&app, 4));
        reached.unwrap();
        assert_eq!(app.rooms.waits.available_permits(), Rooms::WAITS as usize);
    }
}
