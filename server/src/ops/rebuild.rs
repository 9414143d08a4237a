//! `gx projector rebuild`: makes the read model once more from the chain's first block,
//! beside the live one, and exchanges the rows that differ while everything runs.

use std::{
    fmt,
    io::{self, IsTerminal as _},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use gx_fabric::Ledger as _;
use sea_orm::EntityTrait;
use serde::Serialize;

use super::{open, report::Report};
use crate::{
    app::Topology,
    checkpoint,
    clock::{Clock as _, SharedClock, SystemClock},
    config::Config,
    error::Error,
    network,
    outbox::entity::control,
    projector::{
        Parts, Settings,
        exchange::{self, Exchanged},
        rebuild::{Progress, Rebuild},
    },
    start,
    store::{self, Beside, Store},
    telemetry::Readiness,
};

/// How often progress is told, to a terminal and to a file.
const TELL: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(10)];
/// How often an exchange is begun before it is given up.
const TRIES: usize = 100;
/// How long blocks may take that the live model has applied a moment ago.
const SOON: Duration = Duration::from_millis(20);

/// What was done.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// How long all of it took.
    seconds: f64,
    #[serde(flatten)]
    exchanged: Exchanged,
}

/// Makes the read model once more, and exchanges it.
///
/// # Errors
/// If there is no system, somebody else is at it, partitions are dealt anew or a database
/// is restored meanwhile, or database or ledger fail. The live model is as it was then.
pub async fn rebuild(config: Config, (): ()) -> anyhow::Result<Answer> {
    let begun = Instant::now();
    let live = open::store_to_write(&config).await?;
    let control = control::Entity::find_by_id(1).one(live.read()).await?;
    let control = control.context("the database is empty: no system was ever started on it")?;
    let url = config.database_url().map_err(anyhow::Error::msg)?;
    let beside = Beside::create(&url, &live, &config.instance()).await;
    let beside = beside.context("a rebuild cannot begin")?;
    let exchanged = made(&config, &live, &beside, &control).await;
    let ended = beside.end(&live).await;
    if let Err(error) = ended {
        tracing::warn!(%error, "what was made beside is left to the next rebuild");
    }
    Ok(Answer {
        exchanged: exchanged.context("the live read model is as it was")?,
        seconds: begun.elapsed().as_secs_f64(),
    })
}

async fn made(
    config: &Config,
    live: &Store,
    beside: &Beside,
    control: &control::Model,
) -> anyhow::Result<Exchanged> {
    let parts = parts(config, beside.store(), control).await?;
    let mut rebuild = Rebuild::begin(&parts, control.partitions).await?;
    let targets = checkpoints(live, control.partitions).await?;
    let progress = rebuild.progress();
    tokio::select! {
        reached = rebuild.reach(&targets) => reached?,
        () = tell(&progress, &targets) => {}
    }
    let lowest = targets.iter().copied().min().unwrap_or(-1);
    let compared = exchange::compare(live, beside, lowest).await?;
    for _ in 0..TRIES {
        let targets = checkpoints(live, control.partitions).await?;
        rebuild.reach(&targets).await?;
        let now_ms = SystemClock.now_ms();
        match exchange::exchange(live, beside, &mut rebuild, compared, now_ms).await {
            Ok(Some(exchanged)) => return Ok(exchanged),
            Ok(None) => tokio::time::sleep(SOON).await,
            Err(error) if is_deadlock(&error) => {}
            Err(error) => return Err(error),
        }
    }
    bail!("the live read model was never where the rebuild could follow at once")
}

fn is_deadlock(error: &anyhow::Error) -> bool {
    let of_database = error.downcast_ref().is_some_and(store::is_deadlock);
    of_database || error.downcast_ref().is_some_and(Error::is_deadlock)
}

/// A projector of the database beside.
async fn parts(config: &Config, store: &Store, control: &control::Model) -> anyhow::Result<Parts> {
    let mut own = config.clone();
    own.lanes.partner = u32::try_from(control.partner_lanes)?;
    own.projector.partitions = u32::try_from(control.partitions)?;
    let topology: Topology = start::topology(store, &own).await?;
    let ledger = Arc::new(network::connect(config)?);
    let clock: SharedClock = Arc::new(SystemClock);
    Ok(Parts {
        store: store.clone(),
        clock,
        msp_id: ledger.msp_id().to_owned(),
        ledger,
        wake: crate::cache::Wake::default(),
        topology,
        owner: config.instance(),
        settings: Settings {
            lease_ms: config.lanes.lease_ms,
            poll_ms: config.lanes.poll_ms,
            group_blocks: config.projector.group_blocks,
        },
        readiness: Readiness::default(),
    })
}

/// How far the live partitions are.
async fn checkpoints(live: &Store, partitions: i32) -> anyhow::Result<Vec<i64>> {
    let rows = checkpoint::all(live.read()).await?;
    if i32::try_from(rows.len()) != Ok(partitions) {
        bail!(
            "the partitions were dealt anew meanwhile: there are {} now; run it again",
            rows.len()
        );
    }
    Ok(rows.into_iter().map(|row| row.block).collect())
}

/// Tells on stderr how far it is, for ever.
async fn tell(progress: &Progress, targets: &[i64]) {
    let begun = Instant::now();
    let [often, seldom] = TELL;
    let every = if io::stderr().is_terminal() {
        often
    } else {
        seldom
    };
    loop {
        tokio::time::sleep(every).await;
        let at = progress.iter().map(|at| at.load(Ordering::Relaxed));
        eprintln!("{}", told(at.zip(targets.iter().copied()), begun.elapsed()));
    }
}

/// One line of progress, of where each partition is and where it is to come.
fn told(partitions: impl Iterator<Item = (i64, i64)>, elapsed: Duration) -> String {
    let (mut count, mut applied, mut all) = (0, 0, 0);
    for (at, target) in partitions {
        (count, applied, all) = (count + 1, applied + at + 1, all + target + 1);
    }
    let count = count.max(1);
    let (at, target) = (applied / count - 1, all / count - 1);
    let passed_ms = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
    let rate = applied / count * 1_000 / passed_ms.max(1);
    let rest = match applied {
        0 => "no block applied yet".to_owned(),
        _ => {
            let rest_ms = (all - applied).saturating_mul(passed_ms) / applied;
            format!("about {} s to go", rest_ms / 1_000)
        }
    };
    format!("block {at} of {target}, {rate} blocks/s, {rest}")
}

impl Answer {
    /// How long all of it took.
    pub(super) fn took(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}

impl Report for Answer {}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Exchanged { block, mended } = &self.exchanged;
        write!(
            f,
            "the read model is what the chain says up to block {block}; it took {:.1} s",
            self.seconds
        )?;
        if mended.is_empty() {
            return write!(f, "\nit was so before: nothing differed");
        }
        for mended in mended {
            write!(f, "\n  {}: {} rows mended", mended.table, mended.rows)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_the_mean_of_all_partitions() {
        let line = |at: [(i64, i64); 2]| told(at.into_iter(), Duration::from_secs(2));
        let expected = "block 149 of 299, 75 blocks/s, about 2 s to go";
        assert_eq!(line([(99, 299), (199, 299)]), expected);
        assert!(line([(-1, 299), (-1, 299)]).ends_with("no block applied yet"));
    }
}
