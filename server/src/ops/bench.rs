//! `gx bench`: what a running GX does under load. A figure is a ratio of two things that
//! are measured in turn on the same machine (one, the other, one, the other …), so that it
//! says the same on a fast machine and on a slow one.
//!
//! It opens accounts of its own and moves their money, so it is for systems that may be
//! tried: codes come from the embedded notifier. Rate limits must allow what it sends.

mod delays;
mod echo;
mod inserts;
mod lanes;
mod load;
mod logins;
mod machine;
mod measured;
mod payers;

use std::{
    fmt,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use gx_proto::gx::ledger::v1::ledger_service_client::LedgerServiceClient;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde::Serialize;
use tonic::transport::Channel;

use self::{
    delays::Delays,
    inserts::Inserts,
    lanes::Held,
    load::{Caller, Load},
    machine::Moment,
    measured::{Aim, By, Comparison, Side},
    payers::{BatchSender, Payers, To, connections},
};
use super::{
    caller::{Api, Staff},
    open,
    report::Report,
};
use crate::{config::Config, outbox::entity::row, store::Store};

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
}

/// Measures.
///
/// # Errors
/// If the system cannot be reached, refuses everything, or does not settle what it took.
pub async fn run(config: Config, options: Options) -> anyhow::Result<Bench> {
    ensure!(options.people >= 2, "it takes two people to pay");
    let bench = Bencher::new(config, options).await?;
    let (mut comparisons, mut delays) = (Vec::new(), None);
    match bench.options.figure {
        Figure::Accept => comparisons = bench.accept().await?,
        Figure::Batch => comparisons.push(bench.batch().await?),
        Figure::Alone => comparisons.push(bench.alone().await?),
        Figure::Receiver => comparisons.push(bench.receiver().await?),
        Figure::Logins => comparisons.push(bench.logins().await?),
        Figure::Delay => delays = Some(bench.delays().await?),
    }
    Ok(Bench {
        figure: bench.options.figure,
        seconds: bench.options.seconds,
        callers: bench.options.callers,
        people: bench.options.people,
        durability: bench.store.durability().await?,
        comparisons,
        delays,
    })
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

    async fn accept(&self) -> anyhow::Result<Vec<Comparison>> {
        let echo = echo::Process::start()?;
        let echoed = connections(&echo.place, self.options.connections).await?;
        let inserts = Inserts::prepare(&self.config, &self.store).await?;
        let callers = self.options.callers;
        let (mut with_echo, mut with_inserts) = (Vec::new(), Vec::new());
        for _ in 0..self.options.rounds {
            let own = self.taken(self.senders(To::All)?).await?;
            let senders = self.payers.senders(&echoed, callers, To::All)?;
            let other = self.load(senders).await?;
            with_echo.push((own.clone(), other));
            with_inserts.push((own, self.inserted(&inserts, callers, 1).await?));
        }
        inserts.drop_table().await?;
        Ok(vec![
            Comparison::new(
                "transfers taken",
                "answers of a bare server of the same messages",
                By::Rate,
                Aim::AtLeast(0.7),
                with_echo,
            ),
            Comparison::new(
                "transfers taken",
                "rows that pgbench inserts one by one",
                By::Rate,
                Aim::AtLeast(2.0),
                with_inserts,
            ),
        ])
    }

    async fn batch(&self) -> anyhow::Result<Comparison> {
        let inserts = Inserts::prepare(&self.config, &self.store).await?;
        // One person has one batch at once.
        let callers = self.options.people.min(self.options.callers);
        let mut rounds = Vec::new();
        for _ in 0..self.options.rounds {
            let senders = self.payers.senders(&self.wallet, callers, To::All)?;
            let batches = senders.into_iter().map(|sender| BatchSender {
                sender,
                transfers: BATCH,
            });
            let own = self.taken(batches.collect()).await?;
            rounds.push((own, self.inserted(&inserts, callers, BATCH as u64).await?));
        }
        inserts.drop_table().await?;
        Ok(Comparison::new(
            "transfers taken in batches of 100",
            "rows that pgbench inserts, 100 a statement",
            By::Rate,
            Aim::AtLeast(0.95),
            rounds,
        ))
    }

    async fn alone(&self) -> anyhow::Result<Comparison> {
        let inserts = Inserts::prepare(&self.config, &self.store).await?;
        let mut rounds = Vec::new();
        for _ in 0..self.options.rounds {
            let sender = self.payers.senders(&self.wallet, 1, To::All)?;
            let own = self.taken(sender).await?;
            rounds.push((own, self.inserted(&inserts, 1, 1).await?));
        }
        inserts.drop_table().await?;
        Ok(Comparison::new(
            "one transfer of one caller",
            "one commit of pgbench alone",
            By::MeanTime,
            Aim::AtMost(1.1),
            rounds,
        ))
    }

    async fn receiver(&self) -> anyhow::Result<Comparison> {
        let mut rounds = Vec::new();
        for _ in 0..self.options.rounds {
            let one = self.settled(self.senders(To::One)?).await?;
            rounds.push((one, self.settled(self.senders(To::All)?).await?));
        }
        Ok(Comparison::new(
            "transfers settled to one receiver",
            "transfers settled to all",
            By::Rate,
            Aim::AtLeast(0.8),
            rounds,
        ))
    }

    async fn logins(&self) -> anyhow::Result<Comparison> {
        let mut rounds = Vec::new();
        for _ in 0..self.options.rounds {
            let flood = logins::flood(&self.identity, self.options.callers);
            let flooded = self.carried(self.senders(To::All)?).await?;
            drop(flood);
            rounds.push((flooded, self.carried(self.senders(To::All)?).await?));
        }
        Ok(Comparison::new(
            "transfers taken in a flood of logins",
            "transfers taken without it",
            By::Rate,
            Aim::AtLeast(0.5),
            rounds,
        ))
    }

    async fn delays(&self) -> anyhow::Result<Delays> {
        delays::measure(
            &self.config,
            &self.store,
            LedgerServiceClient::new(self.tokenomics.clone()),
            self.payers.token(),
            self.senders(To::All)?,
            self.options.rate,
            self.time(),
        )
        .await
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
        match &self.delays {
            Some(delays) => write!(f, "\n{delays}"),
            None => Ok(()),
        }
    }
}
