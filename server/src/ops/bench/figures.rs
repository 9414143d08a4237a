//! One figure a method: what is measured, and with what it is compared.

use std::cell::Cell;

use anyhow::Context as _;
use gx_proto::gx::ledger::v1::ledger_service_client::LedgerServiceClient;

use super::{
    BATCH,
    bencher::{Bencher, Blocks},
    delays::{self, Delays},
    echo,
    inserts::{Inserts, What},
    logins,
    machine::Moment,
    measured::{Aim, By, Comparison, Side},
    payers::{BatchSender, To, connections},
    plain::Plain,
    snapshot::{self, Slice},
    ways::Rest,
};
use crate::{checkpoint, ops::rebuild};

impl Bencher {
    pub(super) async fn accept(&self) -> anyhow::Result<Vec<Comparison>> {
        let echo = echo::Process::start()?;
        let echoed = connections(&echo.place, self.options.connections).await?;
        let inserts = Inserts::prepare(&self.config, &self.store).await?;
        let callers = self.options.callers;
        let own = async || self.taken(self.senders(To::All)?).await;
        let with_echo = self
            .in_turn(own, async || {
                self.load(self.payers.senders(&echoed, callers, To::All)?)
                    .await
            })
            .await?;
        let with_inserts = self
            .in_turn(own, async || {
                self.inserted(&inserts, callers, What::Rows(1)).await
            })
            .await?;
        inserts.drop_tables().await?;
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

    pub(super) async fn batch(&self) -> anyhow::Result<Comparison> {
        let inserts = Inserts::prepare(&self.config, &self.store).await?;
        // One person has one batch at once.
        let callers = self.options.people().min(self.options.callers);
        let own = async || {
            let senders = self.payers.senders(&self.wallet, callers, To::All)?;
            let batches = senders.into_iter().map(|sender| BatchSender {
                sender,
                transfers: BATCH,
            });
            self.taken(batches.collect()).await
        };
        let other = async || {
            self.inserted(&inserts, callers, What::Rows(BATCH as u64))
                .await
        };
        let rounds = self.in_turn(own, other).await?;
        inserts.drop_tables().await?;
        Ok(Comparison::new(
            "transfers taken in batches of 100",
            "rows that pgbench inserts, 100 a statement",
            By::Rate,
            Aim::AtLeast(0.95),
            rounds,
        ))
    }

    pub(super) async fn alone(&self) -> anyhow::Result<Comparison> {
        let inserts = Inserts::prepare(&self.config, &self.store).await?;
        let own = async || {
            let sender = self.payers.senders(&self.wallet, 1, To::All)?;
            self.taken(sender).await
        };
        let other = async || self.inserted(&inserts, 1, What::Rows(1)).await;
        let rounds = self.in_turn(own, other).await?;
        inserts.drop_tables().await?;
        Ok(Comparison::new(
            "one transfer of one caller",
            "one commit of pgbench alone",
            By::MeanTime,
            Aim::AtMost(1.1),
            rounds,
        ))
    }

    pub(super) async fn floor(&self) -> anyhow::Result<Vec<Comparison>> {
        let inserts = Inserts::prepare(&self.config, &self.store).await?;
        let callers = self.options.callers;
        let together = async || self.inserted(&inserts, 2, What::Transfers(64)).await;
        let rows = async || self.inserted(&inserts, callers, What::Rows(1)).await;
        let together = self.in_turn(together, rows).await?;
        let one = async || self.inserted(&inserts, 1, What::Transfers(1)).await;
        let row = async || self.inserted(&inserts, 1, What::Rows(1)).await;
        let one = self.in_turn(one, row).await?;
        inserts.drop_tables().await?;
        Ok(vec![
            Comparison::new(
                "transfers whose rows pgbench inserts, 64 at once on two connections",
                "rows that pgbench inserts one by one",
                By::Rate,
                Aim::Known,
                together,
            ),
            Comparison::new(
                "one transfer whose rows pgbench inserts alone",
                "one commit of pgbench alone",
                By::MeanTime,
                Aim::Known,
                one,
            ),
        ])
    }

    pub(super) async fn receiver(&self) -> anyhow::Result<Comparison> {
        let settled = async |to| self.settled(self.senders(to)?).await;
        let one = async || settled(To::One).await;
        let all = async || settled(To::All).await;
        let rounds = self.in_turn(one, all).await?;
        Ok(Comparison::new(
            "transfers settled to one receiver",
            "transfers settled to all",
            By::Rate,
            Aim::AtLeast(0.8),
            rounds,
        ))
    }

    pub(super) async fn logins(&self) -> anyhow::Result<Comparison> {
        let flooded = async || {
            let _flood = logins::flood(&self.identity, self.options.callers);
            self.carried(self.senders(To::All)?).await
        };
        let alone = async || self.carried(self.senders(To::All)?).await;
        Ok(Comparison::new(
            "transfers taken in a flood of logins",
            "transfers taken without it",
            By::Rate,
            Aim::AtLeast(0.5),
            self.in_turn(flooded, alone).await?,
        ))
    }

    pub(super) async fn gateway(&self) -> anyhow::Result<Vec<Comparison>> {
        let place = self.options.gateway.as_deref();
        let place = place.context("this figure needs --gateway, where an Envoy answers")?;
        let through = connections(place, self.options.connections).await?;
        let callers = self.options.callers;
        let direct = async || self.load(self.payers.readers(&self.wallet, callers)?).await;
        let grpc = async || self.load(self.payers.readers(&through, callers)?).await;
        let rest = async || {
            let readers = self.payers.readers(&through, callers)?;
            self.load(readers.into_iter().map(Rest).collect()).await
        };
        Ok(vec![
            Comparison::new(
                "wallets read by gRPC through the gateway",
                "wallets read by gRPC without it",
                By::Rate,
                Aim::Known,
                self.in_turn(grpc, direct).await?,
            ),
            Comparison::new(
                "wallets read by REST through the gateway",
                "wallets read by gRPC without it",
                By::Rate,
                Aim::Known,
                self.in_turn(rest, direct).await?,
            ),
        ])
    }

    pub(super) async fn projector(&self) -> anyhow::Result<Comparison> {
        let caught = Cell::new(Blocks { first: 0, last: -1 });
        let own = async || {
            let (side, blocks) = self.caught_up().await?;
            caught.set(blocks);
            Ok(side)
        };
        let other = async || {
            let group = self.config.projector.group_blocks;
            let plain = Plain::prepare(&self.store, caught.get(), group).await?;
            plain.run(&self.store).await
        };
        Ok(Comparison::new(
            "transfers that the projector catches up with",
            "transfers whose rows plain SQL writes from tables beside",
            By::Rate,
            Aim::AtLeast(0.9),
            self.in_turn(own, other).await?,
        ))
    }

    pub(super) async fn rebuild(&self) -> anyhow::Result<Comparison> {
        let rebuilt = async || {
            let last = i64::try_from(checkpoint::lowest(self.store.read()).await?)?;
            let commands = Blocks { first: 0, last }.commands(&self.store).await?;
            let before = Moment::now(&self.store).await?.resumed()?;
            let took = rebuild::rebuild(self.config.clone(), ()).await?.took();
            let mut side = Side::new(commands / took.as_secs_f64(), took);
            side.spent = before.until(Moment::now(&self.store).await?, commands);
            Ok(side)
        };
        let live = async || Ok(self.caught_up().await?.0);
        Ok(Comparison::new(
            "commands of the chain in a rebuild",
            "commands that the projector catches up with",
            By::Rate,
            Aim::AtLeast(1.5),
            self.in_turn(rebuilt, live).await?,
        ))
    }

    pub(super) async fn delays(&self) -> anyhow::Result<Delays> {
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

    pub(super) async fn snapshot(&self) -> anyhow::Result<Vec<Slice>> {
        let snapshot = snapshot::hold(&self.config).await?;
        let (mut slices, mut rows) = (Vec::new(), 0);
        let begun = self.written().await?;
        while rows < self.options.rows {
            let delays = self.delays().await?;
            rows = self.written().await? - begun;
            slices.push(Slice { rows, delays });
        }
        snapshot.rollback().await?;
        Ok(slices)
    }

    async fn written(&self) -> anyhow::Result<i64> {
        let rows = self.store.rows_written().await?;
        rows.context("this figure is about PostgreSQL, and database.url is another")
    }
}
