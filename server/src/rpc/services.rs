//! The services of one port, with their names for health and refusals.

use std::convert::Infallible;

use axum::response::IntoResponse;
use http::Request;
use tonic::{body::Body, server::NamedService, service::Routes};
use tower::Service;

/// The services that one port serves.
#[derive(Debug, Clone, Default)]
pub struct Services {
    pub(super) routes: Routes,
    pub(super) names: Vec<&'static str>,
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
}
