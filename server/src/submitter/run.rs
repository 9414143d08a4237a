//! Drives the lanes: looks which have commands, lets one worker a lane run until
//! nothing waits, and keeps the workers' places between.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use gx_contract::lane::LaneName;
use sea_orm::{QuerySelect, entity::prelude::*};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{LaneWorker, Next, Parts, backoff::Backoff};
use crate::{
    error::Result,
    outbox::{entity::row, lanes},
};

/// Runs until shutdown; a batch that is under way then is left as it stands, for
/// whoever takes the lane next.
pub async fn run(parts: Parts, shutdown: CancellationToken) {
    let mut parked: BTreeMap<LaneName, LaneWorker> = BTreeMap::new();
    let mut running = JoinSet::new();
    let mut busy = BTreeSet::new();
    let poll = Duration::from_millis(parts.settings.poll_ms);
    while !shutdown.is_cancelled() {
        match waiting(&parts).await {
            Ok(lanes) => {
                for lane in lanes {
                    if busy.insert(lane) {
                        let worker = parked
                            .remove(&lane)
                            .unwrap_or_else(|| LaneWorker::new(parts.clone(), lane));
                        running.spawn(drive(worker, parts.clone(), shutdown.clone()));
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "lanes with commands cannot be read"),
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = parts.wake.submitter_woken() => {}
            () = tokio::time::sleep(poll) => {}
            Some(worker) = running.join_next() => park(worker, &mut busy, &mut parked),
        }
    }
    while let Some(worker) = running.join_next().await {
        park(worker, &mut busy, &mut parked);
    }
    if let Err(error) = lanes::give_back(&parts.store, &parts.owner).await {
        tracing::warn!(%error, "leases of lanes were not given back");
    }
}

fn park(
    worker: std::result::Result<LaneWorker, tokio::task::JoinError>,
    busy: &mut BTreeSet<LaneName>,
    parked: &mut BTreeMap<LaneName, LaneWorker>,
) {
    match worker {
        Ok(worker) => {
            busy.remove(&worker.lane());
            parked.insert(worker.lane(), worker);
        }
        Err(error) => {
            // Which lane it was is lost with it: let all be taken up anew.
            tracing::error!(%error, "a lane's worker broke");
            busy.clear();
        }
    }
}

/// The lanes whose commands are not settled.
async fn waiting(parts: &Parts) -> Result<Vec<LaneName>> {
    let names: Vec<String> = row::Entity::find()
        .select_only()
        .column(row::Column::Lane)
        .filter(row::Column::Voided.eq(false))
        .distinct()
        .into_tuple()
        .all(parts.store.read())
        .await?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

/// Steps a worker until nothing waits in its lane.
async fn drive(mut worker: LaneWorker, parts: Parts, shutdown: CancellationToken) -> LaneWorker {
    let mut projected = parts.wake.projected();
    let mut backoff = Backoff::default();
    let mut renew_at_ms = parts.clock.now_ms();
    let poll = Duration::from_millis(parts.settings.poll_ms);
    loop {
        projected.mark_unchanged();
        if parts.clock.now_ms() >= renew_at_ms {
            renew_at_ms = parts.clock.now_ms() + parts.settings.lease_ms / 3;
            if let Err(error) = worker.renew().await {
                tracing::warn!(lane = %worker.lane(), %error, "lease was not renewed");
            }
        }
        let wait = match worker.step().await {
            Ok(Next::Now) => Duration::ZERO,
            Ok(Next::After(wait)) => wait,
            Ok(Next::Projected) => {
                let moved = tokio::time::timeout(poll, projected.changed());
                let _ = shutdown.run_until_cancelled(moved).await;
                Duration::ZERO
            }
            Ok(Next::Idle | Next::Elsewhere) => return worker,
            Err(error) => {
                tracing::warn!(lane = %worker.lane(), %error, "lane's step failed");
                backoff.next()
            }
        };
        if shutdown
            .run_until_cancelled(tokio::time::sleep(wait))
            .await
            .is_none()
        {
            return worker;
        }
    }
}
