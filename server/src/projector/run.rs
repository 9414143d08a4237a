//! Drives the partitions: a stream of blocks each, resumed at the checkpoint
//! whatever ended it; and clears catching-up marks.

use std::time::Duration;

use futures::StreamExt;
use sea_orm::{QueryFilter, entity::prelude::*};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Applied, Partition, Parts, deal, gauges};
use crate::{
    checkpoint::{self, Column, Entity},
    error::{Error, Result},
    fault::stop_point,
    outbox::catching_up,
    telemetry::{State, metrics::DEADLOCKS},
};

/// Runs every partition until shutdown.
pub async fn run(parts: Parts, shutdown: CancellationToken) {
    shutdown.run_until_cancelled(stop_point("projector")).await;
    let watching = tokio::spawn(watch(parts.clone(), shutdown.clone()));
    let telling = tokio::spawn(gauges::tell(parts.clone(), shutdown.clone()));
    let poll = Duration::from_millis(parts.settings.poll_ms);
    let mut highest = -1;
    while !shutdown.is_cancelled() {
        match checkpoint::count(parts.store.read()).await {
            Ok(partitions) => {
                highest = follow_all(&parts, partitions, highest, &shutdown).await;
            }
            Err(error) => {
                tracing::warn!(%error, "partitions cannot be counted");
                shutdown.run_until_cancelled(tokio::time::sleep(poll)).await;
            }
        }
    }
    if let Err(error) = watching.await {
        tracing::error!(%error, "the projector's watch broke");
    }
    if let Err(error) = telling.await {
        tracing::error!(%error, "the projector's gauges broke");
    }
    if let Err(error) = give_back(&parts).await {
        tracing::warn!(%error, "leases of partitions were not given back");
    }
}

/// Follows the chain with so many partitions until there is another number of them, or
/// until shutdown. Takes and answers the highest checkpoint seen: no partition that is
/// dealt anew is below it.
async fn follow_all(
    parts: &Parts,
    partitions: i32,
    highest: i64,
    shutdown: &CancellationToken,
) -> i64 {
    let (mut tasks, end) = (JoinSet::new(), shutdown.child_token());
    for number in 0..partitions {
        let partition = Partition::new(parts.clone(), number, partitions).having_seen(highest);
        tasks.spawn(follow(partition, parts.clone(), end.clone()));
    }
    shutdown
        .run_until_cancelled(dealt_anew(parts, partitions))
        .await;
    end.cancel();
    let mut seen = highest;
    while let Some(ended) = tasks.join_next().await {
        match ended {
            Ok(partition) => seen = seen.max(partition.highest()),
            Err(error) => tracing::error!(%error, "a partition's worker broke"),
        }
    }
    for number in 0..partitions {
        parts.readiness.remove(&format!("projector/{number}"));
    }
    seen
}

/// Waits until there is another number of partitions.
async fn dealt_anew(parts: &Parts, partitions: i32) {
    let poll = Duration::from_millis(parts.settings.poll_ms);
    loop {
        tokio::time::sleep(poll).await;
        // A database that does not answer shows elsewhere.
        if let Ok(count) = checkpoint::count(parts.store.read()).await
            && count != partitions
        {
            return;
        }
    }
}

/// Follows the chain with one partition, which it gives back.
async fn follow(mut partition: Partition, parts: Parts, shutdown: CancellationToken) -> Partition {
    let poll = Duration::from_millis(parts.settings.poll_ms);
    while !shutdown.is_cancelled() {
        let followed = shutdown.run_until_cancelled(stream(&mut partition, &parts));
        match followed.await {
            Some(Err(error)) => {
                tracing::warn!(partition = partition.number(), %error, "partition follows again");
                if is_deadlock(&error) {
                    metrics::counter!(DEADLOCKS).increment(1);
                    continue;
                }
            }
            Some(Ok(())) => {}
            None => return partition,
        }
        shutdown.run_until_cancelled(tokio::time::sleep(poll)).await;
    }
    partition
}

fn is_deadlock(error: &anyhow::Error) -> bool {
    error.downcast_ref().is_some_and(Error::is_deadlock)
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
            Applied::Yes => {
                let part = format!("projector/{}", partition.number());
                parts.readiness.set(part, State::Ready);
            }
            Applied::Elsewhere => return Ok(()),
            Applied::Stopped(reason) => {
                let part = format!("projector/{}", partition.number());
                parts.readiness.set(part, State::Degraded(reason));
                return Ok(());
            }
        }
    }
}

/// Keeps the ledger's height in the database, and clears a catching-up mark once
/// every partition has reached a height that was read after marking.
async fn watch(parts: Parts, shutdown: CancellationToken) {
    let poll = Duration::from_millis(parts.settings.poll_ms);
    let mut target = None;
    while !shutdown.is_cancelled() {
        if let Err(error) = housekeep(&parts, &mut target).await {
            tracing::warn!(%error, "the ledger's height cannot be kept");
        }
        shutdown.run_until_cancelled(tokio::time::sleep(poll)).await;
    }
}

/// One look at marks, at partitions that are to be dealt anew, and at the ledger's
/// height, which it answers; `target` remembers what a mark waits for.
///
/// # Errors
/// If the ledger or the database fails.
pub async fn housekeep(parts: &Parts, target: &mut Option<(i64, u64)>) -> anyhow::Result<u64> {
    deal::carry_out(&parts.store).await?;
    let standing = catching_up::standing(&parts.store).await?;
    let height = parts.ledger.height().await?;
    keep_height(parts, height).await?;
    let Some(mark) = standing else {
        *target = None;
        return Ok(height);
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
    Ok(height)
}

async fn keep_height(parts: &Parts, height: u64) -> anyhow::Result<()> {
    let height = i64::try_from(height)?;
    let rows = checkpoint::all(parts.store.read()).await?;
    if rows.iter().any(|row| row.height != height) {
        Entity::update_many()
            .col_expr(Column::Height, height.into())
            .exec(parts.store.write())
            .await?;
    }
    Ok(())
}

async fn give_back(parts: &Parts) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Token, sea_orm::sea_query::Expr::value(None::<Uuid>))
        .col_expr(Column::LeaseUntilMs, 0.into())
        .filter(Column::Owner.eq(parts.owner.as_str()))
        .exec(parts.store.write())
        .await?;
    Ok(())
}
