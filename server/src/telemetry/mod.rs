//! What the operators see: logs, metrics, probes.

mod database;
pub mod logs;
pub mod metrics;
mod probes;
mod readiness;

use std::time::Duration;

use anyhow::Context as _;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{clock::SharedClock, config::Config};
pub use database::watch_database;
pub use probes::routes as probe_routes;
pub use readiness::{Readiness, Report, State};

/// How often recorded values are folded, so that memory stays bounded.
const UPKEEP: Duration = Duration::from_secs(5);

/// Sets up logs and metrics for this process. `service` is the `service` of its
/// log lines, such as `svc-wallet`, `projector` or `gx`.
///
/// # Errors
/// If they were set up before, or the filter cannot be read.
pub fn init(
    config: &Config,
    service: &'static str,
    clock: SharedClock,
) -> anyhow::Result<PrometheusHandle> {
    logs::install(&config.log, service, clock)?;
    metrics::install()
}

/// Serves `/metrics`, `/healthz` and `/readyz` until the shutdown.
///
/// # Errors
/// If the listener fails.
pub async fn serve_metrics(
    listener: TcpListener,
    metrics: PrometheusHandle,
    readiness: Readiness,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let upkeep = tokio::spawn(upkeep(metrics.clone(), shutdown.clone()));
    let router = probe_routes(readiness).route("/metrics", get(async move || metrics.render()));
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
        .context("serving metrics")?;
    upkeep.await.context("upkeep of metrics")
}

/// Tells until when the certificate of an identity holds. `identity` is one of the
/// few that GX has: partner, admin, super_admin.
pub fn tell_expiry(identity: &'static str, not_after_ms: i64, now_ms: i64) {
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds of a certificate's life"
    )]
    let left_s = (not_after_ms - now_ms) as f64 / 1_000.0;
    ::metrics::gauge!(metrics::IDENTITY_EXPIRES, "identity" => identity).set(left_s);
}

async fn upkeep(metrics: PrometheusHandle, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(UPKEEP);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        metrics.run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };

    use super::*;

    async fn get(address: std::net::SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: gx\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn metrics_and_probes_share_a_port_until_the_shutdown() {
        let recorder = PrometheusBuilder::new().build_recorder();
        ::metrics::with_local_recorder(&recorder, metrics::describe);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (readiness, shutdown) = (Readiness::default(), CancellationToken::new());
        readiness.set("ledger", State::NotReady("is away".to_owned()));
        let served = serve_metrics(listener, recorder.handle(), readiness, shutdown.clone());
        let served = tokio::spawn(served);

        let metrics = get(address, "/metrics").await;
        assert!(
            metrics.contains("# TYPE gx_audit_dropped_total counter"),
            "{metrics}"
        );
        assert!(get(address, "/healthz").await.starts_with("HTTP/1.1 200"));
        let ready = get(address, "/readyz").await;
        assert!(
            ready.starts_with("HTTP/1.1 503") && ready.contains("ledger"),
            "{ready}"
        );
        shutdown.cancel();
        served.await.unwrap().unwrap();
    }
}
