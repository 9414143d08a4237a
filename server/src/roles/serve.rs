//! Opening the ports, once everything works.

use std::{collections::BTreeMap, path::Path};

use anyhow::Context;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    ports::Ports,
    role::{Role, Service},
};
use crate::{
    app::App,
    listen, rpc,
    start::{self, Base},
    telemetry::{self, Readiness},
};

/// What is needed to open the ports of a process.
pub(super) struct Serving {
    role: Role,
    ports: Ports,
    numbers: BTreeMap<&'static str, u16>,
    recorder: PrometheusHandle,
    shutdown: CancellationToken,
}

type Tasks = JoinSet<anyhow::Result<()>>;

impl Serving {
    /// With the ports that are left, and the numbers of all.
    pub(super) fn new(
        role: Role,
        ports: Ports,
        numbers: BTreeMap<&'static str, u16>,
        recorder: PrometheusHandle,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            role,
            ports,
            numbers,
            recorder,
            shutdown,
        }
    }

    /// Waits until the system is bootstrapped; `None` if it is to stop before.
    pub(super) async fn until_bootstrapped(&self, base: &Base) -> anyhow::Result<Option<()>> {
        let waited = self
            .shutdown
            .run_until_cancelled(start::bootstrapped(base))
            .await;
        waited.transpose()
    }

    /// Serves the role's services until the shutdown.
    pub(super) async fn services(mut self, app: &App) -> anyhow::Result<()> {
        if self.role == Role::All {
            let first = self.shutdown.run_until_cancelled(start::first_start(app));
            let Some(started) = first.await else {
                return Ok(());
            };
            started?;
        }
        let mut tasks = Tasks::new();
        let all = (self.role == Role::All).then(|| Service::all(app));
        for service in self.role.services() {
            let mounted = all.clone().unwrap_or_else(|| service.alone(app));
            tasks.spawn(rpc::serve(
                app.clone(),
                service.name(),
                self.ports.take(service.port())?.open()?,
                mounted,
                self.shutdown.clone(),
            ));
        }
        self.finish(tasks, app.readiness.clone(), &app.data_dir)
            .await
    }

    /// Serves the probes and metrics of a worker until the shutdown.
    pub(super) async fn metrics_of(self, base: &Base) -> anyhow::Result<()> {
        self.finish(Tasks::new(), base.readiness.clone(), &base.data_dir)
            .await
    }

    /// Serves the metrics of a process without a database.
    pub(super) async fn metrics_alone(self, data_dir: &Path) -> anyhow::Result<()> {
        self.finish(Tasks::new(), Readiness::default(), data_dir)
            .await
    }

    async fn finish(
        mut self,
        mut tasks: Tasks,
        readiness: Readiness,
        data_dir: &Path,
    ) -> anyhow::Result<()> {
        tasks.spawn(telemetry::serve_metrics(
            self.ports.take("metrics")?.open()?,
            self.recorder,
            readiness,
            self.shutdown,
        ));
        listen::write_ports(data_dir, self.role.name(), &self.numbers)?;
        tracing::info!(
            ports = ?self.numbers,
            data_dir = %data_dir.display(),
            "GX listens"
        );
        while let Some(ended) = tasks.join_next().await {
            ended.context("a server broke")??;
        }
        Ok(())
    }
}
