//! Drives the lanes: looks which have commands, lets one worker a lane run until
//! nothing waits, and keeps the workers' places between.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use gx_contract::lane::LaneName;
use sea_orm::{
    FromQueryResult, QueryOrder, QuerySelect, QueryTrait,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, JoinType, Query, SelectStatement, TableRef},
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
    store::{
        Front,
        bulk::{self, FIRST, GIVEN, SECOND},
    },
};

/// Runs until shutdown; a batch that is under way then is left as it stands, for
/// whoever takes the lane next.
pub async fn run(parts: Parts, shutdown: CancellationToken) {
    let mut lanes = Lanes::default();
    let poll = Duration::from_millis(parts.settings.poll_ms);
    let mut look_at = Instant::now() + poll;
    while !shutdown.is_cancelled() {
        match lanes.waiting(&parts).await {
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
    /// All lanes there are, with where looks for their commands begin.
    fronts: BTreeMap<LaneName, Front>,
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
    /// The lanes whose commands are not settled: some have numbers, or wait for one. Those
    /// are passed over of which nothing would come. It costs the same however many wait,
    /// and however many have left.
    async fn waiting(&mut self, parts: &Parts) -> Result<Vec<LaneName>> {
        if self.fronts.is_empty() {
            self.fronts = known(parts).await?;
        }
        let passed_over = [&self.resting, &self.elsewhere, &self.again];
        let is_passed_over = |lane| passed_over.iter().any(|lanes| lanes.contains(lane));
        let fronts = self.fronts.iter().filter(|(lane, _)| !is_passed_over(lane));
        look(parts, fronts.map(|(lane, front)| (*lane, front)).collect()).await
    }

    fn start(&mut self, waiting: Vec<LaneName>, parts: &Parts, shutdown: &CancellationToken) {
        for lane in waiting {
            if self.busy.contains_key(&lane) {
                self.again.insert(lane);
                continue;
            }
            let parked = self.parked.remove(&lane);
            let worker = parked.unwrap_or_else(|| self.worker(parts, lane));
            let driven = drive(worker, parts.clone(), shutdown.clone());
            self.busy.insert(lane, self.running.spawn(driven).id());
        }
    }

    fn worker(&self, parts: &Parts, lane: LaneName) -> LaneWorker {
        let front = self.fronts.get(&lane).cloned().unwrap_or_default();
        LaneWorker::new(parts.clone(), lane, front)
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

/// The lanes of the database, which are the same for ever.
async fn known(parts: &Parts) -> Result<BTreeMap<LaneName, Front>> {
    let names = lane::Entity::find()
        .select_only()
        .column(lane::Column::Name);
    let names: Vec<String> = names.into_tuple().all(parts.store.read()).await?;
    let lanes = names.iter().filter_map(|name| name.parse().ok());
    Ok(lanes.map(|lane| (lane, Front::default())).collect())
}

/// What is seen of a lane.
#[derive(FromQueryResult)]
struct Looked {
    name: String,
    is_under_way: bool,
    first: Option<i64>,
}

async fn look(parts: &Parts, fronts: BTreeMap<LaneName, &Front>) -> Result<Vec<LaneName>> {
    if fronts.is_empty() {
        return Ok(Vec::new());
    }
    let (db, now_ms) = (parts.store.read(), parts.clock.now_ms());
    let behind = fronts.iter();
    let behind = behind.map(|(lane, front)| (lane.to_string(), front.behind(now_ms)));
    let select = looking(bulk::values(db, behind));
    let select = db.get_database_backend().build(&select);
    let mut waiting = Vec::new();
    for looked in Looked::find_by_statement(select).all(db).await? {
        let Ok(lane) = looked.name.parse() else {
            continue;
        };
        if let (Some(position), Some(front)) = (looked.first, fronts.get(&lane)) {
            front.found(position, now_ms);
        }
        if looked.is_under_way || looked.first.is_some() {
            waiting.push(lane);
        }
    }
    Ok(waiting)
}

/// A look at lanes, given with the positions after which their commands are looked for.
fn looking(given: TableRef) -> SelectStatement {
    use lane::Column::{FormedNumber, Name, SettledNumber};
    let of_lane = |column| Expr::col((lane::Entity, column));
    let of_row = |column| Expr::col((row::Entity, column));
    let pending = row::Entity::find()
        .select_only()
        .column(row::Column::Position)
        .filter(of_lane(Name).equals((row::Entity, row::Column::Lane)))
        .filter(row::Column::Number.is_null())
        .filter(row::Column::Voided.eq(false))
        .filter(of_row(row::Column::Position).gt(Expr::col((GIVEN, SECOND))))
        .order_by_asc(row::Column::Position)
        .limit(1)
        .into_query();
    let is_under_way = of_lane(FormedNumber).gt(of_lane(SettledNumber));
    Query::select()
        .column((lane::Entity, Name))
        .expr_as(is_under_way, "is_under_way")
        // A value for each lane, not whether it is one of all: an index is asked once a lane.
        .expr_as(pending, "first")
        .from(lane::Entity)
        .join(
            JoinType::InnerJoin,
            given,
            of_lane(Name).equals((GIVEN, FIRST)),
        )
        .to_owned()
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
