//! Drives the partitions: a stream of blocks each, resumed at the checkpoint
//! whatever ended it; and clears catching-up marks.

use std::time::Duration;

use futures::StreamExt;
use sea_orm::{QueryFilter, entity::prelude::*};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Applied, Partition, Parts};
use crate::{
    checkpoint::{self, Column, Entity},
    error::Result,
    outbox::catching_up,
    telemetry::State,
};

/// Runs every partition until shutdown.
pub async fn run(parts: Parts, shutdown: CancellationToken) {
    let mut tasks = JoinSet::new();
    for number in 0..parts.topology.partitions {
        let partition = Partition::new(parts.clone(), number);
        tasks.spawn(follow(partition, parts.clone(), shutdown.clone()));
    }
    tasks.spawn(watch(parts.clone(), shutdown.clone()));
    while tasks.join_next().await.is_some() {}
    if let Err(error) = give_back(&parts).await {
        tracing::warn!(%error, "leases of partitions were not given back");
    }
}

/// Follows the chain with one partition.
async fn follow(mut partition: Partition, parts: Parts, shutdown: CancellationToken) {
    let poll = Duration::from_millis(parts.settings.poll_ms);
    while !shutdown.is_cancelled() {
        let followed = shutdown.run_until_cancelled(stream(&mut partition, &parts));
        match followed.await {
            Some(Err(error)) => {
                tracing::warn!(partition = partition.number(), %error, "partition follows again")
            }
            Some(Ok(())) => {}
            None => return,
        }
        shutdown.run_until_cancelled(tokio::time::sleep(poll)).await;
    }
}

/// Applies blocks until something is wrong.
async fn stream(partition: &mut Partition, parts: &Parts) -> anyhow::Result<()> {
    let Some(next) = partition.lease().await? else {
        return Ok(());
    };
    let renew = Duration::from_millis(u64::try_from(parts.settings.lease_ms / 3).unwrap_or(1));
    let mut blocks = parts
        .ledger
        .blocks(next)
        .await?
        .ready_chunks(parts.settings.group_blocks.max(1));
    loop {
        let Ok(group) = tokio::time::timeout(renew, blocks.next()).await else {
            if partition.renew().await? {
                continue;
            }
            return Ok(());
        };
        let Some(group) = group else { return Ok(()) };
        let group = group
            .into_iter()
            .collect::<std::result::Result<Vec<_>, _>>()?;
        match partition.apply(&group).await? {
            Applied::Yes => report(parts, partition.number(), &group).await,
            Applied::Elsewhere => return Ok(()),
            Applied::Stopped(reason) => {
                let number = partition.number().to_string();
                metrics::gauge!("gx_projector_stopped", "partition" => number.clone()).set(1.0);
                parts
                    .readiness
                    .set(format!("projector/{number}"), State::Degraded(reason));
                return Ok(());
            }
        }
    }
}

/// Tells how far the partition is behind.
async fn report(parts: &Parts, partition: i32, group: &[gx_fabric::Block]) {
    let (Some(last), Ok(height)) = (group.last(), parts.ledger.height().await) else {
        return;
    };
    let lag = height.saturating_sub(last.number + 1);
    let label = partition.to_string();
    parts
        .readiness
        .set(format!("projector/{label}"), State::Ready);
    let age_ms = if lag == 0 {
        0
    } else {
        (parts.clock.now_ms() - last.time_ms).max(0)
    };
    metrics::gauge!("projector_lag_blocks", "partition" => label.clone()).set(lag as f64);
    metrics::gauge!("projector_lag_milliseconds", "partition" => label.clone()).set(age_ms as f64);
    metrics::gauge!("gx_projector_stopped", "partition" => label).set(0.0);
}

/// Keeps the ledger's height in the database, and clears a catching-up mark once
/// every partition has reached a height that was read after marking.
async fn watch(parts: Parts, shutdown: CancellationToken) {
    let poll = Duration::from_millis(parts.settings.poll_ms);
    let mut target = None;
    while !shutdown.is_cancelled() {
        match housekeep(&parts, &mut target).await {
            Ok(()) => metrics::gauge!("fabric_sdk_connection_status").set(1.0),
            Err(error) => {
                metrics::gauge!("fabric_sdk_connection_status").set(0.0);
                tracing::warn!(%error, "the ledger's height cannot be kept");
            }
        }
        shutdown.run_until_cancelled(tokio::time::sleep(poll)).await;
    }
}

/// One look at height and marks; `target` remembers what a mark waits for.
///
/// # Errors
/// If the ledger or the database fails.
pub async fn housekeep(parts: &Parts, target: &mut Option<(i64, u64)>) -> anyhow::Result<()> {
    let standing = catching_up::standing(&parts.store).await?;
    let height = parts.ledger.height().await?;
    keep_height(parts, height).await?;
    let Some(mark) = standing else {
        *target = None;
        return Ok(());
    };
    // The height was read after the mark.
    if target.is_none_or(|(of, _)| of != mark) {
        *target = Some((mark, height));
    }
    let lowest = checkpoint::all(parts.store.read())
        .await?
        .iter()
        .map(|row| row.block)
        .min()
        .unwrap_or(-1);
    if let Some((mark, height)) = *target
        && lowest + 1 >= i64::try_from(height)?
    {
        catching_up::clear(&parts.store, mark).await?;
        parts.wake.submitter();
    }
    Ok(())
}

async fn keep_height(parts: &Parts, height: u64) -> anyhow::Result<()> {
    let height = i64::try_from(height)?;
    let rows = checkpoint::all(parts.store.read()).await?;
    if rows.iter().any(|row| row.height != height) {
        let tx = parts.store.begin().await?;
        Entity::update_many()
            .col_expr(Column::Height, height.into())
            .exec(&tx)
            .await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn give_back(parts: &Parts) -> Result<()> {
    let tx = parts.store.begin().await?;
    Entity::update_many()
        .col_expr(Column::Token, sea_orm::sea_query::Expr::value(None::<Uuid>))
        .col_expr(Column::LeaseUntilMs, 0.into())
        .filter(Column::Owner.eq(parts.owner.as_str()))
        .exec(&tx)
        .await?;
    tx.commit().await?;
    Ok(())
}
