//! Drives the lanes: looks which have commands, lets one worker a lane run until
//! nothing waits, and keeps the workers' places between.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use gx_contract::lane::LaneName;
use sea_orm::{
    QuerySelect, QueryTrait,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};
use tokio::{
    task::{self, JoinError, JoinSet},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{LaneWorker, Next, Parts, backoff::Backoff};
use crate::{
    error::Result,
    fault::kill_point,
    outbox::{
        entity::{lane, row},
        lanes,
    },
    store::bulk,
};

/// Runs until shutdown; a batch that is under way then is left as it stands, for
/// whoever takes the lane next.
pub async fn run(parts: Parts, shutdown: CancellationToken) {
    let mut lanes = Lanes::default();
    let poll = Duration::from_millis(parts.settings.poll_ms);
    let mut look_at = Instant::now() + poll;
    while !shutdown.is_cancelled() {
        match waiting(&parts, lanes.passed_over()).await {
            Ok(waiting) => lanes.start(waiting, &parts, &shutdown),
            Err(error) => tracing::warn!(%error, "lanes with commands cannot be read"),
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = parts.wake.submitter_woken() => lanes.resting.clear(),
            () = tokio::time::sleep_until(look_at) => {
                look_at = Instant::now() + poll;
                lanes.resting.clear();
                lanes.elsewhere.clear();
            }
            Some(worker) = lanes.running.join_next() => lanes.park(worker),
        }
    }
    while let Some(worker) = lanes.running.join_next().await {
        lanes.park(worker);
    }
    if let Err(error) = lanes::give_back(&parts.store, &parts.owner).await {
        tracing::warn!(%error, "leases of lanes were not given back");
    }
    kill_point("released");
}

/// The workers of this process.
#[derive(Default)]
struct Lanes {
    running: JoinSet<Stopped>,
    /// Lanes whose workers run, each in a task.
    busy: BTreeMap<LaneName, task::Id>,
    /// Busy lanes in which something has waited since their workers began.
    again: BTreeSet<LaneName>,
    /// Lanes whose workers found nothing to do, until a wake-up or the poll.
    resting: BTreeSet<LaneName>,
    /// Lanes that other processes work on, until the poll: a wake-up is for them.
    elsewhere: BTreeSet<LaneName>,
    /// Workers that do not run, with their leases and places.
    parked: BTreeMap<LaneName, LaneWorker>,
}

impl Lanes {
    /// Lanes that need not be looked at: nothing would come of it.
    fn passed_over(&self) -> Vec<String> {
        let all = [&self.resting, &self.elsewhere, &self.again];
        let names = all.into_iter().flatten();
        names.map(LaneName::to_string).collect()
    }

    fn start(&mut self, waiting: Vec<LaneName>, parts: &Parts, shutdown: &CancellationToken) {
        for lane in waiting {
            if self.busy.contains_key(&lane) {
                self.again.insert(lane);
                continue;
            }
            let parked = self.parked.remove(&lane);
            let worker = parked.unwrap_or_else(|| LaneWorker::new(parts.clone(), lane));
            let driven = drive(worker, parts.clone(), shutdown.clone());
            self.busy.insert(lane, self.running.spawn(driven).id());
        }
    }

    fn park(&mut self, stopped: Result<Stopped, JoinError>) {
        match stopped {
            Ok(Stopped { worker, elsewhere }) => {
                let lane = worker.lane();
                self.busy.remove(&lane);
                let again = self.again.remove(&lane);
                if elsewhere {
                    self.elsewhere.insert(lane);
                } else if !again {
                    self.resting.insert(lane);
                }
                self.parked.insert(lane, worker);
            }
            Err(error) => {
                // Its lane is taken up by another worker.
                tracing::error!(%error, "a lane's worker broke");
                self.busy.retain(|_, task| *task != error.id());
            }
        }
    }
}

/// The lanes whose commands are not settled, without those passed over: some have numbers,
/// or wait for one. It costs the same however many wait, but not however many have left
/// since the oldest snapshot that is held: their entries lie before the first that waits.
async fn waiting(parts: &Parts, passed_over: Vec<String>) -> Result<Vec<LaneName>> {
    let db = parts.store.read();
    let lane = Expr::col((lane::Entity, lane::Column::Name));
    let pending = row::Entity::find()
        .select_only()
        .column(row::Column::Position)
        .filter(lane.equals((row::Entity, row::Column::Lane)))
        .filter(row::Column::Number.is_null())
        .filter(row::Column::Voided.eq(false))
        .limit(1)
        .into_query();
    // A value for each lane, not whether it is one of all: an index is asked once a lane.
    let first: Expr = pending.into();
    let formed = Expr::col((lane::Entity, lane::Column::FormedNumber));
    let is_under_way = formed.gt(Expr::col((lane::Entity, lane::Column::SettledNumber)));
    let names: Vec<String> = lane::Entity::find()
        .select_only()
        .column(lane::Column::Name)
        .filter(bulk::among(db, lane::Column::Name, passed_over).not())
        .filter(is_under_way.or(first.is_not_null()))
        .into_tuple()
        .all(db)
        .await?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

/// A worker that runs no more.
struct Stopped {
    worker: LaneWorker,
    /// Whether another process works on its lane.
    elsewhere: bool,
}

/// Steps a worker until nothing waits in its lane.
async fn drive(mut worker: LaneWorker, parts: Parts, shutdown: CancellationToken) -> Stopped {
    let mut projected = parts.wake.projected();
    let mut backoff = Backoff::default();
    let mut renew_at_ms = parts.clock.now_ms();
    let poll = Duration::from_millis(parts.settings.poll_ms);
    let elsewhere = loop {
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
            Ok(Next::Idle) => break false,
            Ok(Next::Elsewhere) => break true,
            Err(error) => {
                tracing::warn!(lane = %worker.lane(), %error, "lane's step failed");
                backoff.next()
            }
        };
        let rested = rest(&mut worker, wait, parts.settings.lease_ms);
        if shutdown.run_until_cancelled(rested).await.is_none() {
            break false;
        }
    };
    Stopped { worker, elsewhere }
}

/// Waits, and renews the lease meanwhile.
async fn rest(worker: &mut LaneWorker, mut wait: Duration, lease_ms: i64) {
    let slice = Duration::from_millis(Ord::max(u64::try_from(lease_ms / 3).unwrap_or(1), 1));
    while wait > slice {
        tokio::time::sleep(slice).await;
        wait -= slice;
        if let Err(error) = worker.renew().await {
            tracing::warn!(lane = %worker.lane(), %error, "lease was not renewed");
        }
    }
    tokio::time::sleep(wait).await;
}
