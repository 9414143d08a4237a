//! Drives the partitions: a stream of blocks each, resumed at the checkpoint
//! whatever ended it; and clears catching-up marks.

use std::time::Duration;

use futures::StreamExt;
use sea_orm::{QueryFilter, entity::prelude::*};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Applied, Partition, Parts, gauges::Gauges};
use crate::{
    checkpoint::{self, Column, Entity},
    error::{Error, Result},
    fault::stop_point,
    outbox::catching_up,
    telemetry::{
        State,
        metrics::{DEADLOCKS, FABRIC_CONNECTION},
    },
};

/// Runs every partition until shutdown.
pub async fn run(parts: Parts, shutdown: CancellationToken) {
    shutdown.run_until_cancelled(stop_point("projector")).await;
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
                tracing::warn!(partition = partition.number(), %error, "partition follows again");
                if is_deadlock(&error) {
                    metrics::counter!(DEADLOCKS).increment(1);
                    continue;
                }
            }
            Some(Ok(())) => {}
            None => return,
        }
        shutdown.run_until_cancelled(tokio::time::sleep(poll)).await;
    }
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
    let (mut target, mut gauges) = (None, Gauges::default());
    while !shutdown.is_cancelled() {
        let reached = match housekeep(&parts, &mut target).await {
            Ok(height) => gauges.report(&parts, height).await.map_err(Into::into),
            Err(error) => Err(error),
        };
        metrics::gauge!(FABRIC_CONNECTION).set(f64::from(u8::from(reached.is_ok())));
        if let Err(error) = reached {
            tracing::warn!(%error, "the ledger's height cannot be kept");
        }
        shutdown.run_until_cancelled(tokio::time::sleep(poll)).await;
    }
}

/// One look at marks and the ledger's height, which it answers; `target` remembers what a mark waits for.
///
/// # Errors
/// If the ledger or the database fails.
pub async fn housekeep(parts: &Parts, target: &mut Option<(i64, u64)>) -> anyhow::Result<u64> {
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
