//! The gRPC server: one port with its services, health, reflection and probes. What a
//! call passes on its way stands in `answer`.

mod address;
mod answer;
mod call;
pub(crate) mod cors;
mod deadline;
mod docs;
mod errors;
mod gate;
mod listen;
mod observe;
mod open;
mod panics;
mod permit;
mod rates;
mod record;
mod services;
mod shed;
mod size;
mod tail;
mod traceparent;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use anyhow::Context as _;
use axum::{Router, body::Body, middleware::from_fn_with_state};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic_web::GrpcWebLayer;
use tower::ServiceBuilder;

use crate::{
    app::App,
    telemetry::{Readiness, State, probe_routes},
};
use gate::Gate;
use services::Health;

pub(crate) use deadline::WAIT;
pub use services::Services;

type Request = axum::extract::Request;

/// Serves `services` on a bound listener until the shutdown, and then until the
/// calls under way have ended, or the bound of the settings. `name` is the
/// `service` of metrics and the port's part in `/readyz`, such as `svc-wallet`.
///
/// # Errors
/// If the server cannot be set up.
pub async fn serve(
    app: App,
    name: &'static str,
    listener: TcpListener,
    services: Services,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let gate = Gate::new(&app, name, services.names.clone());
    run(gate, app.readiness, listener, services, shutdown).await
}

async fn run(
    gate: Gate,
    readiness: Readiness,
    listener: TcpListener,
    services: Services,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let (name, limits, cors) = (gate.name, gate.limits.clone(), cors::layer(&gate.origins));
    let (mut health, routes) = services.complete().await.context("reflection")?;
    let router = routed(routes, Arc::new(gate), readiness.clone()).layer(cors);
    readiness.set(name, State::Ready);
    let connections = listen::accept(listener, router, &limits, shutdown).await;
    readiness.set(name, State::NotReady("is stopping".to_owned()));
    leave(&mut health).await;
    connections.drain().await;
    Ok(())
}

/// Tells health's watchers, and lets them go.
async fn leave(health: &mut Health) {
    health.not_serving().await;
    health.clear().await;
}

/// Probes and documentation beside gRPC, which browsers may speak over HTTP/1.1 or HTTP/2.
fn routed(services: Router, gate: Arc<Gate>, readiness: Readiness) -> Router {
    let grpc = ServiceBuilder::new()
        .layer(GrpcWebLayer::new())
        .map_request(|request: http::Request<tonic::body::Body>| request.map(Body::new))
        .layer(from_fn_with_state(gate, answer::answer))
        .service(services);
    probe_routes(readiness)
        .merge(docs::routes())
        .fallback_service(grpc)
}
