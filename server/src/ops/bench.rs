//! `gx bench`: what a running GX does under load. A figure is a ratio of two things that
//! are measured in turn on the same machine (one, the other, one, the other …), so that it
//! says the same on a fast machine and on a slow one.
//!
//! It opens accounts of its own and moves their money, so it is for systems that may be
//! tried: codes come from the embedded notifier. Rate limits must allow what it sends.

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

use std::{
    fmt,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde::Serialize;
use tonic::transport::Channel;

use self::{
    delays::Delays,
    inserts::Inserts,
    lanes::Held,
    load::{Caller, Load},
    machine::Moment,
    measured::{Comparison, Side},
    payers::{Payers, To, connections},
    snapshot::Slice,
    standing::Standing,
};
use super::{
    caller::{Api, Staff},
    open,
    report::Report,
};
use crate::{config::Config, explorer::entity::block, outbox::entity::row, store::Store};

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
    /// People who pay.
    #[arg(long, default_value_t = 16)]
    people: usize,
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
    ensure!(options.people >= 2, "it takes two people to pay");
    let bench = Bencher::new(config, options).await?;
    let (mut comparisons, mut delays, mut slices) = (Vec::new(), None, Vec::new());
    match bench.options.figure {
        Figure::Accept => comparisons = bench.accept().await?,
        Figure::Batch => comparisons.push(bench.batch().await?),
        Figure::Alone => comparisons.push(bench.alone().await?),
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
        people: bench.options.people,
        durability: bench.store.durability().await?,
        comparisons,
        delays,
        slices,
    })
}

/// Blocks, the last one included.
#[derive(Debug, Clone, Copy)]
struct Blocks {
    first: i64,
    last: i64,
}

impl Blocks {
    /// How many commands they carry.
    async fn commands(self, store: &Store) -> anyhow::Result<f64> {
        let rows = block::Entity::range(self.first, self.last + 1, u64::from(u32::MAX));
        let rows = rows.all(store.read()).await?;
        Ok(rows.iter().map(|row| f64::from(row.commands)).sum())
    }
}

/// What all figures need.
struct Bencher {
    config: Config,
    options: Options,
    store: Store,
    payers: Payers,
    wallet: Vec<Channel>,
    identity: Vec<Channel>,
    tokenomics: Channel,
}

impl Bencher {
    async fn new(config: Config, options: Options) -> anyhow::Result<Self> {
        let data_dir = config.data_dir();
        let api = Api::connect(&data_dir, options.endpoint.as_deref()).await?;
        let staff = Staff::sign_in(&api, &data_dir, options.staff_password_file.as_deref()).await?;
        let payers = Payers::open(&api, &staff, &data_dir, options.people).await?;
        let [identity, wallet, tokenomics] = &api.places;
        Ok(Self {
            store: open::store_to_write(&config).await?,
            wallet: connections(wallet, options.connections).await?,
            identity: connections(identity, options.connections).await?,
            tokenomics: connections(tokenomics, 1).await?.remove(0),
            payers,
            config,
            options,
        })
    }

    /// Measures two things in turn, round after round.
    async fn in_turn(
        &self,
        own: impl AsyncFn() -> anyhow::Result<Side>,
        other: impl AsyncFn() -> anyhow::Result<Side>,
    ) -> anyhow::Result<Vec<(Side, Side)>> {
        let mut rounds = Vec::new();
        for _ in 0..self.options.rounds {
            let own = own().await?;
            rounds.push((own, other().await?));
        }
        Ok(rounds)
    }

    fn time(&self) -> Duration {
        Duration::from_secs(self.options.seconds)
    }

    fn senders(&self, to: To) -> anyhow::Result<Vec<payers::Sender>> {
        self.payers.senders(&self.wallet, self.options.callers, to)
    }

    /// How fast commands are taken while the lanes stand still, and what that costs.
    async fn taken<C: Caller>(&self, callers: Vec<C>) -> anyhow::Result<Side> {
        let held = Held::take(&self.store, self.time()).await?;
        let side = self.load(callers).await;
        held.give_back().await?;
        self.quiet().await?;
        side
    }

    /// How fast commands are taken while they are carried on.
    async fn carried<C: Caller>(&self, callers: Vec<C>) -> anyhow::Result<Side> {
        let before = Moment::now(&self.store).await?.resumed()?;
        let load = Load::closed(callers, self.time()).await?;
        self.quiet().await?;
        self.side(before, &load).await
    }

    /// How fast commands are settled.
    async fn settled<C: Caller>(&self, callers: Vec<C>) -> anyhow::Result<Side> {
        let before = Moment::now(&self.store).await?.resumed()?;
        let begun = Instant::now();
        let mut load = Load::closed(callers, self.time()).await?;
        self.quiet().await?;
        load.elapsed = begun.elapsed();
        self.side(before, &load).await
    }

    /// How fast calls are answered that leave nothing behind.
    async fn load<C: Caller>(&self, callers: Vec<C>) -> anyhow::Result<Side> {
        let before = Moment::now(&self.store).await?.resumed()?;
        let load = Load::closed(callers, self.time()).await?;
        self.side(before, &load).await
    }

    async fn inserted(&self, inserts: &Inserts, clients: usize, rows: u64) -> anyhow::Result<Side> {
        let before = Moment::now(&self.store).await?.resumed()?;
        let mut side = inserts.run(clients, rows, self.time()).await?;
        let count = side.rate * self.options.seconds as f64;
        side.spent = before.until(Moment::now(&self.store).await?, count);
        Ok(side)
    }

    async fn side(&self, before: Moment, load: &Load) -> anyhow::Result<Side> {
        let mut side = Side::of(load);
        side.spent = before.until(Moment::now(&self.store).await?, load.taken as f64);
        Ok(side)
    }

    /// How fast the projector catches up with what was carried while it stood, and which
    /// blocks that were.
    async fn caught_up(&self) -> anyhow::Result<(Side, Blocks)> {
        let standing = Standing::take(&self.store, self.time() + SETTLED).await?;
        let first = standing.next_block().await?;
        let load = Load::closed(self.senders(To::All)?, self.time()).await?;
        let last = standing::carried(&self.config, &self.store).await?;
        let before = Moment::now(&self.store).await?;
        standing.give_back().await?;
        let (before, begun) = (before.resumed()?, Instant::now());
        self.quiet().await?;
        let elapsed = begun.elapsed();
        let mut side = Side::new(load.taken as f64 / elapsed.as_secs_f64(), elapsed);
        side.spent = before.until(Moment::now(&self.store).await?, load.taken as f64);
        Ok((side, Blocks { first, last }))
    }

    /// Waits until nothing waits to be settled.
    async fn quiet(&self) -> anyhow::Result<()> {
        let quiet = async {
            let unsettled = || row::Entity::find().filter(row::Column::Voided.eq(false));
            while unsettled().count(self.store.read()).await? > 0 {
                tokio::time::sleep(POLL).await;
            }
            anyhow::Ok(())
        };
        let quiet = tokio::time::timeout(SETTLED, quiet).await;
        quiet.context("commands are not settled in time; do a submitter and a projector run?")?
    }
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
