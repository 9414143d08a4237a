//! `gx partitions set`: deals the lanes to another number of partitions, while gx runs.

use std::{fmt, time::Duration};

use anyhow::{Context as _, bail};
use sea_orm::EntityTrait;
use serde::Serialize;

use super::{open, report::Report};
use crate::{
    audit, checkpoint,
    clock::{Clock, SystemClock},
    config::Config,
    outbox::entity::control,
    projector::deal,
    store::Store,
};

/// What stands in the audit log as the action.
const ACTION: &str = "partitions set";

/// How often to look whether all partitions stand at one block.
const POLL: Duration = Duration::from_millis(100);

/// How many partitions.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How many partitions the read model is to have.
    #[arg(value_parser = clap::value_parser!(i32).range(1..=256))]
    partitions: i32,
    /// How long the partitions may take to come to one block; else all stays as it was.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout_s: u64,
}

/// What stands afterwards.
#[derive(Debug, Serialize)]
pub struct Answer {
    partitions: i32,
    /// How many there were.
    before: i32,
    /// A block that all partitions have applied; -1 before the first.
    block: i64,
}

/// Asks for a number of partitions, and waits until the lanes are dealt to so many.
///
/// # Errors
/// If there is no system, a partition stopped, or the partitions do not come to one
/// block in time; nothing is changed then.
pub async fn set(config: Config, options: Options) -> anyhow::Result<Answer> {
    let store = open::store_to_write(&config).await?;
    let patience = Duration::from_secs(options.timeout_s);
    deal(&store, options.partitions, patience, SystemClock.now_ms()).await
}

async fn deal(
    store: &Store,
    partitions: i32,
    patience: Duration,
    now_ms: i64,
) -> anyhow::Result<Answer> {
    let before = control(store).await?.partitions;
    let rows = checkpoint::all(store.read()).await?;
    if let Some((row, why)) = rows
        .iter()
        .find_map(|row| Some((row, row.stopped.as_ref()?)))
    {
        bail!("partition {} stopped: {why}", row.partition);
    }
    let tx = store.begin().await?;
    deal::want_in(&tx, partitions).await?;
    let entry = audit::Entry::of_system(ACTION, partitions.to_string());
    audit::record_in(&tx, now_ms, vec![entry]).await?;
    tx.commit().await?;
    if let Ok(dealt) = tokio::time::timeout(patience, dealt(store)).await {
        dealt?;
    }
    deal::withdraw(store, partitions).await?;
    let rows = checkpoint::all(store.read()).await?;
    if control(store).await?.partitions != partitions {
        let behind = rows.iter().min_by_key(|row| row.block);
        let (partition, block) = behind.map_or((0, -1), |row| (row.partition, row.block));
        bail!(
            "the partitions did not come to one block, so there are {before} as before: \
             partition {partition} is at block {block}; does gx projector run?"
        );
    }
    let block = rows.iter().map(|row| row.block).min().unwrap_or(-1);
    Ok(Answer {
        partitions,
        before,
        block,
    })
}

/// Waits until nobody asks for another number of partitions. Where no projector runs,
/// it is done from here.
async fn dealt(store: &Store) -> anyhow::Result<()> {
    loop {
        match deal::carry_out(store).await {
            Err(error) if error.is_deadlock() => continue,
            done => done?,
        }
        if control(store).await?.partitions_wanted.is_none() {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn control(store: &Store) -> anyhow::Result<control::Model> {
    let control = control::Entity::find_by_id(1).one(store.read()).await?;
    control.context("the database is empty: no system was ever started on it")
}

impl Report for Answer {}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            partitions,
            before,
            block,
        } = self;
        if partitions == before {
            return write!(f, "the read model has {partitions} partitions, as before");
        }
        write!(
            f,
            "the read model has {partitions} partitions from block {block} on, where it had {before}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    const PATIENCE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn partitions_at_one_block_are_dealt_anew_and_no_reader_sees_an_older_block() {
        let app = fixture::app().await;
        fixture::apply_all(&app, 7).await;
        for (wanted, before) in [(4, 2), (4, 4), (1, 4), (3, 1)] {
            let told = deal(&app.store, wanted, PATIENCE, fixture::NOW_MS);
            let told = told.await.unwrap();
            assert_eq!((told.before, told.block), (before, 7));
            let count = checkpoint::count(app.store.read()).await.unwrap();
            assert_eq!(count, wanted);
            for lane in ["partner/0", "partner/1", "partner/2", "sys/0"] {
                let block = checkpoint::of(app.store.read(), lane).await.unwrap();
                assert_eq!(block, 7);
            }
        }
    }

    #[tokio::test]
    async fn partitions_that_do_not_come_to_one_block_stay_and_go_on() {
        let app = fixture::app().await;
        fixture::apply(&app, 0, 7).await;
        fixture::apply(&app, 1, 5).await;
        let refused = deal(&app.store, 4, Duration::ZERO, fixture::NOW_MS).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("partition 1 is at block 5"), "{refused}");
        let control = control(&app.store).await.unwrap();
        assert_eq!(control.partitions, 2);
        assert_eq!(
            (control.partitions_wanted, control.deal_block),
            (None, None)
        );
    }
}
