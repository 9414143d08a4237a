//! The workers of a process.

use std::{sync::Arc, time::Duration};

use gx_fabric::{
    Ledger,
    client::{FabricLedger, Identities},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    audit, cache,
    clock::SharedClock,
    outbox::{catching_up, intake},
    projector,
    start::Base,
    submitter, telemetry,
};

/// How often the files of identities are looked at.
const FOLLOW: Duration = Duration::from_secs(10);

/// The workers, stopped together: each may still hand its work to the next.
#[derive(Default)]
pub(super) struct Stages {
    tasks: JoinSet<()>,
}

impl Stages {
    pub(super) fn watch_database(&mut self, base: &Base, shutdown: &CancellationToken) {
        self.tasks.spawn(telemetry::watch_database(
            base.store.clone(),
            base.readiness.clone(),
            shutdown.clone(),
        ));
    }

    /// Shows while commands wait because the database went back.
    pub(super) fn watch_catching_up(&mut self, base: &Base, shutdown: &CancellationToken) {
        self.tasks.spawn(catching_up::watch(
            base.store.clone(),
            base.readiness.clone(),
            Duration::from_millis(base.config.lanes.poll_ms),
            shutdown.clone(),
        ));
    }

    /// Keeps the connection to Redis, and carries wake-ups over it.
    pub(super) fn share(&mut self, base: &Base, shutdown: &CancellationToken) {
        let Some(redis) = &base.redis else { return };
        let (redis, wake) = (redis.clone(), base.wake.clone());
        let connected = redis.clone().run(base.readiness.clone(), shutdown.clone());
        self.tasks.spawn(connected);
        self.tasks
            .spawn(cache::relay(redis, wake, shutdown.clone()));
    }

    /// Takes renewed certificates up, and tells until when they hold.
    pub(super) fn follow_identities(
        &mut self,
        base: &Base,
        ledger: &FabricLedger,
        shutdown: &CancellationToken,
    ) {
        let identities = ledger.identities().clone();
        let following = follow(identities, base.clock.clone(), shutdown.clone());
        self.tasks.spawn(following);
    }

    pub(super) fn submit(
        &mut self,
        base: &Base,
        ledger: Arc<dyn Ledger>,
        shutdown: &CancellationToken,
    ) {
        let parts = submitter::Parts {
            store: base.store.clone(),
            clock: base.clock.clone(),
            ledger,
            wake: base.wake.clone(),
            settings: base.config.lanes.clone(),
            owner: base.config.instance(),
        };
        self.tasks.spawn(submitter::run(parts, shutdown.clone()));
    }

    pub(super) fn project(
        &mut self,
        base: &Base,
        ledger: Arc<dyn Ledger>,
        shutdown: &CancellationToken,
    ) {
        let config = &base.config;
        let parts = projector::Parts {
            store: base.store.clone(),
            clock: base.clock.clone(),
            msp_id: ledger.msp_id().to_owned(),
            ledger,
            wake: base.wake.clone(),
            topology: base.topology,
            owner: config.instance(),
            settings: projector::Settings {
                lease_ms: config.lanes.lease_ms,
                poll_ms: config.lanes.poll_ms,
                group_blocks: config.projector.group_blocks,
            },
            readiness: base.readiness.clone(),
        };
        self.tasks.spawn(projector::run(parts, shutdown.clone()));
        if base.redis.is_some() {
            let answers = cache::Answers::new(base.redis.clone());
            let (store, wake) = (base.store.clone(), base.wake.clone());
            let telling = projector::tell_shown(store, wake, answers, shutdown.clone());
            self.tasks.spawn(telling);
        }
    }

    pub(super) fn seal(&mut self, base: &Base, shutdown: &CancellationToken) {
        let (store, clock) = (base.store.clone(), base.clock.clone());
        let sealer = audit::Sealer::new(store, clock, base.config.instance());
        self.tasks.spawn(sealer.run(shutdown.clone()));
    }

    pub(super) fn take_commands(
        &mut self,
        base: &Base,
        line: intake::Line,
        shutdown: &CancellationToken,
    ) {
        let settings = base.config.intake.clone();
        self.tasks
            .spawn(intake::run(line, base.folder(), settings, shutdown.clone()));
    }

    pub(super) fn write_trail(
        &mut self,
        base: &Base,
        writer: audit::TrailWriter,
        shutdown: &CancellationToken,
    ) {
        self.tasks
            .spawn(writer.run(base.store.clone(), shutdown.clone()));
    }

    /// Does something while all workers run: one that ends before it is told to makes
    /// the process no use.
    pub(super) async fn unless_broken(
        &mut self,
        work: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<()> {
        tokio::select! {
            done = work => done,
            ended = self.tasks.join_next() => match ended {
                Some(Err(broken)) => Err(anyhow::Error::new(broken).context("a worker broke")),
                Some(Ok(())) | None => Err(anyhow::anyhow!("a worker ended by itself")),
            },
        }
    }

    /// Waits until all have ended.
    pub(super) async fn stop(mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a worker broke");
            }
        }
    }
}

async fn follow(identities: Identities, clock: SharedClock, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(FOLLOW);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        for (name, files) in identities.named() {
            // A failure is told and counted by the files themselves.
            if files.reload_if_changed().unwrap_or(false) {
                tracing::info!(identity = name, "a renewed certificate is in use");
            }
            telemetry::tell_expiry(name, files.not_after_ms(), clock.now_ms());
        }
    }
}
