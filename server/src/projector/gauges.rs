//! What the pipeline shows of itself: lag, queue, holds, supply.

use std::{collections::BTreeMap, time::Duration};

use sea_orm::{QueryFilter, QuerySelect, entity::prelude::*};
use tokio_util::sync::CancellationToken;

use super::Parts;
use crate::{
    checkpoint,
    error::Result,
    outbox::entity::{lane, row},
    telemetry::metrics::{
        FABRIC_CONNECTION, LANE_HELD, OUTBOX_QUEUE_DEPTH, PROJECTOR_LAG_BLOCKS, PROJECTOR_LAG_MS,
        PROJECTOR_STOPPED, SUPPLY_QIRAT,
    },
    tokenomics,
};

/// Commands without a number are counted up to here: who has so many has enough to do.
const COUNTED: u64 = 100_000;

/// Sets every gauge again and again until the shutdown. Not between the projector's
/// own steps: one that waits for ever is what they are to show.
pub(super) async fn tell(parts: Parts, shutdown: CancellationToken) {
    let poll = Duration::from_millis(parts.settings.poll_ms);
    let mut gauges = Gauges::default();
    while !shutdown.is_cancelled() {
        let height = parts.ledger.height().await;
        metrics::gauge!(FABRIC_CONNECTION).set(f64::from(u8::from(height.is_ok())));
        let seen = height.map_or(0, |height| i64::try_from(height).unwrap_or(i64::MAX));
        if let Err(error) = gauges.report(&parts, seen).await {
            tracing::warn!(%error, "the pipeline cannot be looked at");
        }
        shutdown.run_until_cancelled(tokio::time::sleep(poll)).await;
    }
}

/// Remembers when each partition was last seen to have applied every block.
#[derive(Debug, Default)]
struct Gauges {
    caught_up_ms: BTreeMap<i32, i64>,
}

impl Gauges {
    /// Sets every gauge anew, those of workers that stand still too. Where the ledger's
    /// height was not seen, the one that was kept counts.
    async fn report(&mut self, parts: &Parts, height: i64) -> Result<()> {
        let db = parts.store.read();
        let mut rows = checkpoint::all(db).await?;
        for row in &mut rows {
            row.height = row.height.max(height);
            let lag_ms = self.lag_ms(row, parts.clock.now_ms());
            set(
                row.partition,
                lag_blocks(row),
                lag_ms,
                row.stopped.is_some(),
            );
        }
        let gone = |number: &i32| rows.iter().all(|row| row.partition != *number);
        for (number, _) in self.caught_up_ms.extract_if(.., |number, _| gone(number)) {
            set(number, 0, 0, false);
        }
        let waiting = row::Entity::find()
            .select_only()
            .column(row::Column::Position)
            .filter(row::Column::Number.is_null())
            .filter(row::Column::Voided.eq(false))
            .limit(COUNTED)
            .count(db)
            .await?;
        let mut depth = waiting as f64;
        for lane in lane::Entity::find().all(db).await? {
            depth += (lane.formed_number - lane.settled_number).max(0) as f64;
            let holds = f64::from(u8::from(lane.held_reason.is_some()));
            metrics::gauge!(LANE_HELD, "lane" => lane.name).set(holds);
        }
        metrics::gauge!(OUTBOX_QUEUE_DEPTH).set(depth);
        let lowest = checkpoint::lowest(db).await?;
        for (bucket, qirat) in tokenomics::totals_at(db, lowest).await? {
            metrics::gauge!(SUPPLY_QIRAT, "bucket" => bucket).set(qirat as f64);
        }
        Ok(())
    }

    /// How old the oldest block can be that the partition has not applied: it came
    /// after the last one that was applied, and after all had been.
    fn lag_ms(&mut self, row: &checkpoint::Model, now_ms: i64) -> i64 {
        let first_look_ms = if row.block < 0 {
            now_ms
        } else {
            row.block_time_ms
        };
        let caught_up_ms = self.caught_up_ms.entry(row.partition);
        let caught_up_ms = caught_up_ms.or_insert(first_look_ms);
        if lag_blocks(row) == 0 {
            *caught_up_ms = now_ms;
        }
        (now_ms - row.block_time_ms.max(*caught_up_ms)).max(0)
    }
}

fn lag_blocks(row: &checkpoint::Model) -> i64 {
    (row.height - row.block - 1).max(0)
}

fn set(partition: i32, lag_blocks: i64, lag_ms: i64, stopped: bool) {
    let label = partition.to_string();
    metrics::gauge!(PROJECTOR_LAG_BLOCKS, "partition" => label.clone()).set(lag_blocks as f64);
    metrics::gauge!(PROJECTOR_LAG_MS, "partition" => label.clone()).set(lag_ms as f64);
    metrics::gauge!(PROJECTOR_STOPPED, "partition" => label).set(f64::from(u8::from(stopped)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(block: i64, block_time_ms: i64, height: i64) -> checkpoint::Model {
        checkpoint::Model {
            partition: 0,
            owner: None,
            token: None,
            lease_until_ms: 0,
            block,
            hash: Vec::new(),
            block_time_ms,
            height,
            stopped: None,
        }
    }

    #[test]
    fn a_partition_that_moves_and_stays_behind_lags() {
        let mut gauges = Gauges::default();
        assert_eq!(gauges.lag_ms(&at(10, 1_000, 500), 60_000), 59_000);
        assert_eq!(gauges.lag_ms(&at(40, 4_000, 500), 61_000), 57_000);
    }

    #[test]
    fn a_block_after_a_quiet_hour_is_no_older_than_the_quiet() {
        let mut gauges = Gauges::default();
        let hour_ms = 3_600_000;
        assert_eq!(gauges.lag_ms(&at(10, 1_000, 11), hour_ms), 0);
        assert_eq!(gauges.lag_ms(&at(10, 1_000, 12), hour_ms + 700), 700);
    }

    #[test]
    fn before_the_first_block_the_lag_begins_with_the_first_look() {
        let mut gauges = Gauges::default();
        assert_eq!(gauges.lag_ms(&at(-1, 0, 3), 1_000_000), 0);
        assert_eq!(gauges.lag_ms(&at(-1, 0, 3), 1_002_000), 2_000);
    }
}
