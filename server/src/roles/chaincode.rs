//! `gx chaincode`: runs the contract for a Fabric network's peers, which dial in.
//! It has no database and keeps no files; the ledger is the peers'.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use gx_fabric::{
    GxContract,
    chaincode::{
        MESSAGE_BYTES_MAX, Observer, Options, Outcome, Tls, package::is_package_id, serve,
    },
};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::{SharedClock, SystemClock},
    config::{self, Config, Environment},
    listen,
    telemetry::{self, Readiness, State, metrics as names},
};

/// Serves peers until `shutdown`; transactions under way may end then.
///
/// # Errors
/// If something cannot be started, or ends by itself.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let clock: SharedClock = Arc::new(SystemClock);
    let recorder = telemetry::init(&config, "chaincode", clock.clone())?;
    let options = options(&config, clock)?;
    let settings = &config.chaincode;
    let port = listen::bind(settings.host, settings.port, "chaincode.port")?;
    let probes = listen::bind(config.listen.host, config.listen.metrics, "listen.metrics")?;
    let (chaincode, metrics) = (port.address().port(), probes.address().port());

    let readiness = Readiness::default();
    let told = CancellationToken::new();
    let probes =
        telemetry::serve_metrics(probes.open()?, recorder, readiness.clone(), told.clone());
    let probes = tokio::spawn(probes);
    metrics::gauge!(names::CHAINCODE_STREAMS).set(0.0);
    readiness.set("chaincode", State::Ready);
    tracing::info!(
        chaincode,
        metrics,
        package_id = options.package_id,
        tls = options.tls.is_some(),
        "chaincode listens"
    );
    let stopping = shutdown.clone();
    tokio::spawn(async move {
        stopping.cancelled().await;
        readiness.set("chaincode", State::NotReady("it is stopping".to_owned()));
    });
    let served = serve(port.open()?, options, shutdown).await;
    told.cancel();
    probes.await.context("the metrics broke")??;
    served.context("the chaincode server failed")?;
    tracing::info!("stopped");
    Ok(())
}

fn options(config: &Config, clock: SharedClock) -> anyhow::Result<Options> {
    let settings = &config.chaincode;
    if !is_package_id(&settings.package_id) {
        // Peers would wait for ever for another, without a word.
        bail!(
            "chaincode.package_id: must be the id that `gx chaincode package` printed, a label \
             and 64 lower-case hexadecimal digits, parted by a colon"
        );
    }
    let tls = tls(settings)?;
    if tls.is_none() && config.environment == Environment::Mainnet {
        bail!("chaincode.certificate_file: mainnet needs TLS between peers and chaincode");
    }
    Ok(Options {
        package_id: settings.package_id.clone(),
        contract: Arc::new(GxContract),
        clock: Arc::new(move || clock.now_ms()),
        threads: settings.threads,
        answer_timeout: Duration::from_millis(settings.answer_ms),
        drain: Duration::from_millis(config.limits.drain_ms),
        message_bytes_max: MESSAGE_BYTES_MAX,
        tls,
        observer: Arc::new(Metrics),
    })
}

fn tls(settings: &config::Chaincode) -> anyhow::Result<Option<Tls>> {
    if settings.certificate_file.is_empty() {
        return Ok(None);
    }
    let clients = settings.client_ca_file.as_str();
    let clients = (!clients.is_empty()).then(|| read("client_ca_file", clients));
    Ok(Some(Tls {
        certificate: read("certificate_file", &settings.certificate_file)?,
        key: read("key_file", &settings.key_file)?,
        client_authorities: clients.transpose()?,
    }))
}

fn read(key: &str, path: &str) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("chaincode.{key}: {path}"))
}

/// Counts for `/metrics`.
struct Metrics;

impl Observer for Metrics {
    fn stream_opened(&self) {
        metrics::gauge!(names::CHAINCODE_STREAMS).increment(1.0);
    }

    fn stream_closed(&self) {
        metrics::gauge!(names::CHAINCODE_STREAMS).decrement(1.0);
    }

    fn round_trip(&self) {
        metrics::counter!(names::CHAINCODE_ROUND_TRIPS).increment(1);
    }

    fn transaction(&self, outcome: Outcome, elapsed: Duration) {
        metrics::counter!(names::CHAINCODE_TRANSACTIONS, "outcome" => outcome.name()).increment(1);
        metrics::histogram!(names::CHAINCODE_DURATION).record(elapsed.as_secs_f64());
    }
}
