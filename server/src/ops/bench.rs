//! `gx bench`: what a running GX does under load. A figure is a ratio of two things that
//! are measured in turn on the same machine (one, the other, one, the other …), so that it
//! says the same on a fast machine and on a slow one.
//!
//! It opens accounts of its own and moves their money, so it is for systems that may be
//! tried: codes come from the embedded notifier. Rate limits must allow what it sends.

mod bencher;
mod delays;
mod echo;
mod figures;
mod inserts;
mod lanes;
mod load;
mod logins;
mod machine;
mod measured;
mod payers;
mod plain;
mod snapshot;
mod standing;
mod ways;

use std::{fmt, path::PathBuf, time::Duration};

use anyhow::ensure;
use serde::Serialize;

use self::{bencher::Bencher, delays::Delays, measured::Comparison, snapshot::Slice};
use super::report::Report;
use crate::config::Config;

pub use echo::serve as serve_echo;

/// Transfers of one batch, and rows of the statement that it is compared with.
const BATCH: usize = 100;
/// How long everything that was taken may need to be settled.
const SETTLED: Duration = Duration::from_secs(600);
/// How often to look whether it is.
const POLL: Duration = Duration::from_millis(20);

/// What to measure, and how.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// What to measure.
    figure: Figure,
    /// Where every service answers, such as http://127.0.0.1:3001; else the ports
    /// are those of ports.json in data_dir.
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Where the gateway answers, such as http://127.0.0.1:8080; `gateway` needs it.
    #[arg(long, value_name = "URL")]
    gateway: Option<String>,
    /// A file with the password of `root`, where the initial one was changed.
    #[arg(long, value_name = "FILE")]
    staff_password_file: Option<PathBuf>,
    /// How often both sides are measured.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How long a side of a round is measured.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    seconds: u64,
    /// Calls at once.
    #[arg(long, default_value_t = 64)]
    callers: usize,
    /// People who pay: 16, or 2,000 while a snapshot is held, which keeps every version of
    /// a wallet.
    #[arg(long)]
    people: Option<usize>,
    /// Connections that share the callers.
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// Transfers a second, for delays.
    #[arg(long, default_value_t = 500.0)]
    rate: f64,
    /// Rows that the database writes while a snapshot is held open.
    #[arg(long, default_value_t = 1_000_000)]
    rows: i64,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Transfers taken, against a bare server of the same messages and against
    /// PostgreSQL's inserts of one row.
    Accept,
    /// Transfers taken in batches, against PostgreSQL's inserts of as many rows.
    Batch,
    /// One caller alone, against one PostgreSQL commit.
    Alone,
    /// The rows of a transfer that PostgreSQL inserts without GX, against rows one by one.
    Floor,
    /// Transfers settled that all go to one receiver, against spread ones.
    Receiver,
    /// Transfers taken during a flood of logins, against transfers without it.
    Logins,
    /// Delays from a call, and from a block, to the read model, at a steady rate.
    Delay,
    /// Wallets read through the gateway, by gRPC and by REST, against reads without it.
    Gateway,
    /// Transfers that the projector catches up with, against plain SQL that writes the
    /// same rows.
    Projector,
    /// Transfers of a rebuild from the first block, against those that the projector
    /// catches up with.
    Rebuild,
    /// The delays while a snapshot of the database is held open.
    Snapshot,
}

impl Options {
    fn people(&self) -> usize {
        self.people.unwrap_or(match self.figure {
            Figure::Snapshot => 2_000,
            _ => 16,
        })
    }
}

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Bench {
    figure: Figure,
    seconds: u64,
    callers: usize,
    people: usize,
    /// What a commit costs, as the database is set.
    durability: Vec<(&'static str, String)>,
    comparisons: Vec<Comparison>,
    delays: Option<Delays>,
    slices: Vec<Slice>,
}

/// Measures.
///
/// # Errors
/// If the system cannot be reached, refuses everything, or does not settle what it took.
pub async fn run(config: Config, options: Options) -> anyhow::Result<Bench> {
    ensure!(options.people() >= 2, "it takes two people to pay");
    let bench = Bencher::new(config, options).await?;
    let (mut comparisons, mut delays, mut slices) = (Vec::new(), None, Vec::new());
    match bench.options.figure {
        Figure::Accept => comparisons = bench.accept().await?,
        Figure::Batch => comparisons.push(bench.batch().await?),
        Figure::Alone => comparisons.push(bench.alone().await?),
        Figure::Floor => comparisons = bench.floor().await?,
        Figure::Receiver => comparisons.push(bench.receiver().await?),
        Figure::Logins => comparisons.push(bench.logins().await?),
        Figure::Delay => delays = Some(bench.delays().await?),
        Figure::Gateway => comparisons = bench.gateway().await?,
        Figure::Projector => comparisons.push(bench.projector().await?),
        Figure::Rebuild => comparisons.push(bench.rebuild().await?),
        Figure::Snapshot => slices = bench.snapshot().await?,
    }
    Ok(Bench {
        figure: bench.options.figure,
        seconds: bench.options.seconds,
        callers: bench.options.callers,
        people: bench.options.people(),
        durability: bench.store.durability().await?,
        comparisons,
        delays,
        slices,
    })
}

impl Report for Bench {
    fn is_sound(&self) -> bool {
        self.comparisons.iter().all(Comparison::is_reached)
            && self.delays.as_ref().is_none_or(Delays::are_short)
            && !snapshot::climb(&self.slices)
    }
}

impl fmt::Display for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.durability.iter();
        let settings: Vec<_> = settings
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        let Self {
            seconds,
            callers,
            people,
            ..
        } = self;
        write!(
            f,
            "{callers} callers, {people} people, {seconds} s a side; "
        )?;
        write!(f, "database: {}", settings.join(", "))?;
        for comparison in &self.comparisons {
            write!(f, "\n{comparison}")?;
        }
        if let Some(delays) = &self.delays {
            write!(f, "\n{delays}")?;
        }
        for slice in &self.slices {
            write!(f, "\n{slice}")?;
        }
        Ok(())
    }
}
