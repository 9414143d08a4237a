//! The services of one port, with their names for health and refusals.

use std::convert::Infallible;

use axum::{Router, response::IntoResponse};
use http::Request;
use tonic::{body::Body, server::NamedService, service::Routes};
use tonic_health::{ServingStatus, server::HealthReporter};
use tonic_reflection::server::{Builder, Error};
use tower::Service;

/// The services that one port serves.
#[derive(Debug, Clone, Default)]
pub struct Services {
    pub(super) names: Vec<&'static str>,
    routes: Routes,
}

impl Services {
    /// Adds a service.
    #[must_use]
    pub fn with<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Response: IntoResponse,
        S::Future: Send + 'static,
    {
        self.routes = self.routes.add_service(service);
        self.names.push(S::NAME);
        self
    }

    /// Adds health, and reflection in both versions.
    pub(super) async fn complete(self) -> Result<(Health, Router), Error> {
        let (reporter, health) = tonic_health::server::health_reporter();
        let routes = self
            .routes
            .add_service(health)
            .add_service(reflection(&self.names).build_v1()?)
            .add_service(reflection(&self.names).build_v1alpha()?);
        let mut names = self.names;
        names.push("");
        let health = Health { reporter, names };
        health.set(ServingStatus::Serving).await;
        Ok((health, routes.into_axum_router()))
    }
}

/// Reflection that lists what this port serves and describes everything.
fn reflection(names: &[&'static str]) -> Builder<'static> {
    let builder = Builder::configure()
        .register_encoded_file_descriptor_set(gx_proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name("grpc.health.v1.Health");
    names
        .iter()
        .fold(builder, |builder, name| builder.with_service_name(*name))
}

/// Tells health's clients how this port's services are.
pub(super) struct Health {
    reporter: HealthReporter,
    names: Vec<&'static str>,
}

impl Health {
    /// Tells that nothing is served any more.
    pub(super) async fn not_serving(&self) {
        self.set(ServingStatus::NotServing).await;
    }

    /// Ends the streams of those who watch, so that a drain need not wait for them.
    pub(super) async fn clear(&mut self) {
        for name in &self.names {
            self.reporter.clear_service_status(name).await;
        }
    }

    async fn set(&self, status: ServingStatus) {
        for name in &self.names {
            self.reporter.set_service_status(name, status).await;
        }
    }
}
