//! What all figures need, and the ways of measuring a side.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use tonic::transport::Channel;

use super::{
    Options, POLL, SETTLED,
    inserts::{Inserts, What},
    lanes::Held,
    load::{Caller, Load},
    machine::Moment,
    measured::Side,
    payers::{Payers, Sender, To, connections},
    standing::{self, Standing},
};
use crate::{
    config::Config,
    explorer::entity::block,
    ops::{
        caller::{Api, Staff},
        open,
    },
    outbox::entity::row,
    store::Store,
};

/// Blocks, the last one included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blocks {
    pub(super) first: i64,
    pub(super) last: i64,
}

impl Blocks {
    /// How many commands they carry.
    pub(super) async fn commands(self, store: &Store) -> anyhow::Result<f64> {
        let rows = block::Entity::range(self.first, self.last + 1, u64::from(u32::MAX));
        let rows = rows.all(store.read()).await?;
        Ok(rows.iter().map(|row| f64::from(row.commands)).sum())
    }
}

/// What all figures need.
pub(super) struct Bencher {
    pub(super) config: Config,
    pub(super) options: Options,
    pub(super) store: Store,
    pub(super) payers: Payers,
    pub(super) wallet: Vec<Channel>,
    pub(super) identity: Vec<Channel>,
    pub(super) tokenomics: Channel,
}

impl Bencher {
    pub(super) async fn new(config: Config, options: Options) -> anyhow::Result<Self> {
        let data_dir = config.data_dir();
        let api = Api::connect(&data_dir, options.endpoint.as_deref()).await?;
        let staff = Staff::sign_in(&api, &data_dir, options.staff_password_file.as_deref()).await?;
        let payers = Payers::open(&api, &staff, &data_dir, options.people()).await?;
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
    pub(super) async fn in_turn(
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

    pub(super) fn time(&self) -> Duration {
        Duration::from_secs(self.options.seconds)
    }

    pub(super) fn senders(&self, to: To) -> anyhow::Result<Vec<Sender>> {
        self.payers.senders(&self.wallet, self.options.callers, to)
    }

    /// How fast commands are taken while the lanes stand still, and what that costs.
    pub(super) async fn taken<C: Caller>(&self, callers: Vec<C>) -> anyhow::Result<Side> {
        let held = Held::take(&self.store, self.time()).await?;
        let side = self.load(callers).await;
        held.give_back().await?;
        self.quiet().await?;
        side
    }

    /// How fast commands are taken while they are carried on.
    pub(super) async fn carried<C: Caller>(&self, callers: Vec<C>) -> anyhow::Result<Side> {
        let before = Moment::now(&self.store).await?.resumed()?;
        let load = Load::closed(callers, self.time()).await?;
        self.quiet().await?;
        self.side(before, &load).await
    }

    /// How fast commands are settled.
    pub(super) async fn settled<C: Caller>(&self, callers: Vec<C>) -> anyhow::Result<Side> {
        let before = Moment::now(&self.store).await?.resumed()?;
        let begun = Instant::now();
        let mut load = Load::closed(callers, self.time()).await?;
        self.quiet().await?;
        load.elapsed = begun.elapsed();
        self.side(before, &load).await
    }

    /// How fast calls are answered that leave nothing behind.
    pub(super) async fn load<C: Caller>(&self, callers: Vec<C>) -> anyhow::Result<Side> {
        let before = Moment::now(&self.store).await?.resumed()?;
        let load = Load::closed(callers, self.time()).await?;
        self.side(before, &load).await
    }

    pub(super) async fn inserted(
        &self,
        inserts: &Inserts,
        clients: usize,
        what: What,
    ) -> anyhow::Result<Side> {
        let before = Moment::now(&self.store).await?.resumed()?;
        let mut side = inserts.run(clients, what, self.time()).await?;
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
    pub(super) async fn caught_up(&self) -> anyhow::Result<(Side, Blocks)> {
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
    pub(super) async fn quiet(&self) -> anyhow::Result<()> {
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
