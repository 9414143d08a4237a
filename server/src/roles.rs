//! What a process runs. `all` runs everything on embedded defaults.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use gx_fabric::{
    Ledger,
    devnet::{Core, CoreOptions, Driver, InProcessLedger, Limits},
};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    app::{App, Rooms},
    audit,
    auth::{Authenticator, Passwords},
    cache::Wake,
    clock::{SharedClock, SystemClock},
    config::Config,
    explorer, identity,
    limits::RateLimits,
    listen::{self, Bound},
    notifier::Notifier,
    operation,
    outbox::{Folder, Intake, intake},
    projector,
    rpc::{self, Services},
    secrets::Secrets,
    start,
    store::Store,
    submitter, telemetry, tokenomics, wallet,
};

/// The ports of a process that runs everything.
struct Ports {
    identity: Bound,
    wallet: Bound,
    tokenomics: Bound,
    metrics: Bound,
}

/// Runs everything until `shutdown`: the services, the workers, and a devnet.
///
/// # Errors
/// If something cannot be started, or ends by itself.
pub async fn all(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let clock: SharedClock = Arc::new(SystemClock);
    let recorder = telemetry::init(&config, "gx", clock.clone())?;
    let data_dir = config.data_dir();
    let _lock = start::lock_data_dir(&data_dir)?;
    listen::forget_ports(&data_dir)?;
    let ports = bind(&config)?;

    let store = open_store(&config).await?;
    let core = open_devnet(&config, &data_dir)?;
    let driver = Driver::start(core.clone());
    let ledger: Arc<dyn Ledger> = Arc::new(InProcessLedger::new(core));

    let (intake, line) = Intake::new(&config.intake);
    let (trail, trail_writer) = audit::trail();
    let app = build(config, clock, store, intake, trail, data_dir).await?;

    let workers = CancellationToken::new();
    let mut stages = Stages::start(&app, ledger, line, trail_writer, &workers);
    let served = tokio::select! {
        served = serve(&app, ports, recorder, shutdown) => served,
        broken = stages.broken() => Err(broken),
    };
    workers.cancel();
    stages.stop().await;
    driver.shutdown().await?;
    tracing::info!("stopped");
    served
}

fn bind(config: &Config) -> anyhow::Result<Ports> {
    let listen = &config.listen;
    Ok(Ports {
        identity: listen::bind(listen.host, listen.identity, "listen.identity")?,
        wallet: listen::bind(listen.host, listen.wallet, "listen.wallet")?,
        tokenomics: listen::bind(listen.host, listen.tokenomics, "listen.tokenomics")?,
        metrics: listen::bind(listen.host, listen.metrics, "listen.metrics")?,
    })
}

async fn open_store(config: &Config) -> anyhow::Result<Store> {
    let url = config
        .database_url()
        .map_err(anyhow::Error::msg)
        .context("database.url")?;
    Store::open(&url)
        .await
        .context("the database cannot be opened (setting database.url)")
}

fn open_devnet(config: &Config, data_dir: &std::path::Path) -> anyhow::Result<Arc<Core>> {
    let options = CoreOptions {
        limits: Limits {
            batch_timeout: Duration::from_millis(config.ledger.batch_timeout_ms),
            max_message_count: config.ledger.max_message_count,
            ..Limits::default()
        },
        ..CoreOptions::default()
    };
    let folder = data_dir.join("devnet");
    let core = Core::open(options, &folder)
        .with_context(|| format!("the devnet in {} cannot be opened", folder.display()))?;
    Ok(Arc::new(core))
}

async fn build(
    config: Config,
    clock: SharedClock,
    store: Store,
    intake: Intake,
    trail: audit::Trail,
    data_dir: PathBuf,
) -> anyhow::Result<App> {
    let secrets = if identity::anybody(&store).await? {
        Secrets::load_existing(&data_dir)?
    } else {
        Secrets::load_or_create(&data_dir)?
    };
    let secrets = Arc::new(secrets);
    Ok(App {
        topology: start::topology(&store, &config).await?,
        auth: Authenticator::new(store.clone(), clock.clone(), secrets.clone(), &config.token),
        passwords: Passwords::new(&config.login),
        notifier: Notifier::new(&data_dir),
        rates: RateLimits::new(&config.limits),
        rooms: Arc::new(Rooms::new(&config.limits)),
        readiness: telemetry::Readiness::default(),
        wake: Wake::default(),
        config: Arc::new(config),
        clock,
        store,
        intake,
        trail,
        secrets,
        data_dir,
    })
}

/// The workers, in the order in which they are stopped: each may still hand its
/// work to the next.
struct Stages {
    tasks: JoinSet<()>,
}

impl Stages {
    fn start(
        app: &App,
        ledger: Arc<dyn Ledger>,
        line: intake::Line,
        trail: audit::TrailWriter,
        shutdown: &CancellationToken,
    ) -> Self {
        let mut tasks = JoinSet::new();
        let folder = Folder {
            store: app.store.clone(),
            clock: app.clock.clone(),
            wake: app.wake.clone(),
        };
        tasks.spawn(intake::run(
            line,
            folder,
            app.config.intake.clone(),
            shutdown.clone(),
        ));
        tasks.spawn(submitter::run(
            submitter_parts(app, ledger.clone()),
            shutdown.clone(),
        ));
        tasks.spawn(projector::run(
            projector_parts(app, ledger),
            shutdown.clone(),
        ));
        tasks.spawn(trail.run(app.store.clone(), shutdown.clone()));
        let sealer =
            audit::Sealer::new(app.store.clone(), app.clock.clone(), app.config.instance());
        tasks.spawn(sealer.run(shutdown.clone()));
        tasks.spawn(telemetry::watch_database(
            app.store.clone(),
            app.readiness.clone(),
            shutdown.clone(),
        ));
        Self { tasks }
    }

    /// Waits for a worker that ends before it is told to: then the process is no use.
    async fn broken(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Err(broken)) => anyhow::Error::new(broken).context("a worker broke"),
            Some(Ok(())) | None => anyhow::anyhow!("a worker ended by itself"),
        }
    }

    async fn stop(mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a worker broke");
            }
        }
    }
}

fn submitter_parts(app: &App, ledger: Arc<dyn Ledger>) -> submitter::Parts {
    submitter::Parts {
        store: app.store.clone(),
        clock: app.clock.clone(),
        ledger,
        wake: app.wake.clone(),
        settings: app.config.lanes.clone(),
        owner: app.config.instance(),
    }
}

fn projector_parts(app: &App, ledger: Arc<dyn Ledger>) -> projector::Parts {
    projector::Parts {
        store: app.store.clone(),
        clock: app.clock.clone(),
        msp_id: ledger.msp_id().to_owned(),
        ledger,
        wake: app.wake.clone(),
        topology: app.topology,
        owner: app.config.instance(),
        settings: projector::Settings {
            lease_ms: app.config.lanes.lease_ms,
            poll_ms: app.config.lanes.poll_ms,
            group_blocks: app.config.projector.group_blocks,
        },
        readiness: app.readiness.clone(),
    }
}

/// Every service on each of the three ports, so that a newcomer needs one.
fn services(app: &App) -> Services {
    Services::default()
        .with(identity::service(app.clone()))
        .with(wallet::service(app.clone()))
        .with(tokenomics::service(app.clone()))
        .with(operation::service(app.clone()))
        .with(explorer::service(app.clone()))
}

/// Does what the first start does, opens the ports, and serves until `shutdown`.
async fn serve(
    app: &App,
    ports: Ports,
    recorder: PrometheusHandle,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let Some(started) = shutdown.run_until_cancelled(first_start(app)).await else {
        return Ok(());
    };
    started?;
    let taken = BTreeMap::from([
        ("identity", ports.identity.address().port()),
        ("wallet", ports.wallet.address().port()),
        ("tokenomics", ports.tokenomics.address().port()),
        ("metrics", ports.metrics.address().port()),
    ]);
    let mut serving = JoinSet::new();
    let services = services(app);
    for (name, bound) in [
        ("svc-identity", ports.identity),
        ("svc-wallet", ports.wallet),
        ("svc-tokenomics", ports.tokenomics),
    ] {
        serving.spawn(rpc::serve(
            app.clone(),
            name,
            bound.open()?,
            services.clone(),
            shutdown.clone(),
        ));
    }
    let metrics = ports.metrics.open()?;
    serving.spawn(telemetry::serve_metrics(
        metrics,
        recorder,
        app.readiness.clone(),
        shutdown.clone(),
    ));
    listen::write_ports(&app.data_dir, &taken)?;
    tracing::info!(
        identity = taken["identity"],
        wallet = taken["wallet"],
        tokenomics = taken["tokenomics"],
        metrics = taken["metrics"],
        data_dir = %app.data_dir.display(),
        "GX listens"
    );
    while let Some(ended) = serving.join_next().await {
        ended.context("a server broke")??;
    }
    Ok(())
}

async fn first_start(app: &App) -> anyhow::Result<()> {
    start::bootstrap(app)
        .await
        .context("the ledger cannot be bootstrapped")?;
    if identity::first_start(app).await? {
        let path = app.data_dir.join("initial-password");
        tracing::info!(
            password_file = %path.display(),
            "the first SUPER_ADMIN is `root`, with an initial password"
        );
    }
    Ok(())
}
