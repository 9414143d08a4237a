//! What a process runs: one role, or all of them.
//!
//! A role is a list of parts: a devnet, workers, services. `run` starts those that the
//! role has, in the order in which they need each other, and stops them in the other
//! direction.

mod chaincode;
mod devnet;
mod ports;
mod role;
mod serve;
mod stages;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

pub use self::{chaincode::run as chaincode, role::Role};

use self::{devnet::Devnet, ports::Ports, stages::Stages};
use crate::{
    audit,
    clock::{SharedClock, SystemClock},
    config::Config,
    listen, network,
    outbox::Intake,
    start::{self, Base},
    telemetry,
};

/// Runs a role until `shutdown`.
///
/// # Errors
/// If something cannot be started, or ends by itself.
pub async fn run(role: Role, config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    role.check(&config)?;
    let clock: SharedClock = Arc::new(SystemClock);
    let recorder = telemetry::init(&config, role.name(), clock.clone())?;
    let data_dir = config.data_dir();
    let _lock = start::lock_data_dir(&data_dir, role.name())?;
    listen::forget_ports(&data_dir, role.name())?;
    let mut ports = Ports::bind(role, &config)?;
    let numbers = ports.numbers();

    let devnet = match role.has_devnet(&config) {
        true => Some(Devnet::start(&config, &data_dir, &mut ports)?),
        false => None,
    };
    let workers = CancellationToken::new();
    let mut stages = Stages::default();
    let serving = serve::Serving::new(role, ports, numbers, recorder, shutdown);
    let served = if role.has_database() {
        let base = Base::open(config, clock).await?;
        database_role(role, &base, &mut stages, &workers, serving).await
    } else {
        serving.metrics_alone(&data_dir).await
    };
    workers.cancel();
    stages.stop().await;
    if let Some(devnet) = devnet {
        devnet.stop().await?;
    }
    tracing::info!("stopped");
    served
}

/// Runs the workers and services of a role.
async fn database_role(
    role: Role,
    base: &Base,
    stages: &mut Stages,
    workers: &CancellationToken,
    serving: serve::Serving,
) -> anyhow::Result<()> {
    stages.watch_database(base, workers);
    stages.watch_catching_up(base, workers);
    stages.share(base, workers);
    if role.submits() || role.projects() {
        let ledger = network::connect(&base.config)?;
        stages.follow_identities(base, &ledger, workers);
        let ledger = Arc::new(ledger);
        if role.submits() {
            stages.submit(base, ledger.clone(), workers);
        }
        if role.projects() {
            stages.project(base, ledger, workers);
            stages.seal(base, workers);
        }
    }
    if role.services().is_empty() {
        return stages.unless_broken(serving.metrics_of(base)).await;
    }
    if role != Role::All && serving.until_bootstrapped(base).await?.is_none() {
        return Ok(());
    }
    let (intake, line) = Intake::new(&base.config.intake);
    let (trail, writer) = audit::trail();
    stages.take_commands(base, line, workers);
    stages.write_trail(base, writer, workers);
    let app = base.app(intake, trail).await?;
    stages.unless_broken(serving.services(&app)).await
}
