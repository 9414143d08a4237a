//! What the pipeline shows of itself: lag, queue, holds, supply.

use std::collections::BTreeMap;

use sea_orm::{QueryFilter, QuerySelect, entity::prelude::*};

use super::Parts;
use crate::{
    checkpoint,
    error::Result,
    outbox::entity::{lane, row},
    telemetry::metrics::{
        LANE_HELD, OUTBOX_QUEUE_DEPTH, PROJECTOR_LAG_BLOCKS, PROJECTOR_LAG_MS, PROJECTOR_STOPPED,
        SUPPLY_QIRAT,
    },
    tokenomics,
};

/// Commands without a number are counted up to here: who has so many has enough to do.
const COUNTED: u64 = 100_000;

/// Remembers since when each partition is behind at its checkpoint.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    behind: BTreeMap<i32, (i64, i64)>,
}

impl Gauges {
    /// Sets every gauge anew, those of workers that stand still too.
    pub(super) async fn report(&mut self, parts: &Parts, height: u64) -> Result<()> {
        let height = i64::try_from(height).unwrap_or(i64::MAX);
        let db = parts.store.read();
        let rows = checkpoint::all(db).await?;
        for row in &rows {
            self.partition(row, height, parts.clock.now_ms());
        }
        let gone = |number: &i32| rows.iter().all(|row| row.partition != *number);
        for (number, _) in self.behind.extract_if(.., |number, _| gone(number)) {
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

    fn partition(&mut self, row: &checkpoint::Model, height: i64, now_ms: i64) {
        let lag = (height - row.block - 1).max(0);
        let since_ms = match self.behind.get(&row.partition) {
            Some((block, since_ms)) if *block == row.block && lag > 0 => *since_ms,
            _ => now_ms,
        };
        self.behind.insert(row.partition, (row.block, since_ms));
        set(row.partition, lag, now_ms - since_ms, row.stopped.is_some());
    }
}

fn set(partition: i32, lag_blocks: i64, lag_ms: i64, stopped: bool) {
    let label = partition.to_string();
    metrics::gauge!(PROJECTOR_LAG_BLOCKS, "partition" => label.clone()).set(lag_blocks as f64);
    metrics::gauge!(PROJECTOR_LAG_MS, "partition" => label.clone()).set(lag_ms as f64);
    metrics::gauge!(PROJECTOR_STOPPED, "partition" => label).set(f64::from(u8::from(stopped)));
}
