//! Fabric CA's REST over TLS, as far as members need it: `enroll`, `reenroll` and
//! `cainfo`, for several authorities behind one port.
//!
//! Answers, codes and messages are Fabric CA's. It differs where Fabric CA tells
//! more than it should: an identity that is locked after too many wrong secrets is
//! answered as if the secret were wrong, and bodies are not shown in errors.

mod call;
mod connections;
mod hosted;
mod refusal;
mod request;
mod routes;

use std::{io, sync::Arc, time::Duration};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Authority, Registry, ServerTls};
use crate::devnet::Clock;
use hosted::Hosted;
use refusal::Refusal;

/// How long certificates hold unless told otherwise; as Fabric CA does.
const TTL: Duration = Duration::from_secs(365 * 24 * 3_600);

/// Authorities that answer over the network.
pub struct Server {
    hosted: Vec<Hosted>,
    clock: Clock,
    ttl: Duration,
}

impl Server {
    /// Authorities by name, each with the identities that the registry has for it.
    /// The first answers those who name none.
    pub fn new(
        authorities: Vec<(String, Arc<Authority>)>,
        registry: &Registry,
        clock: Clock,
    ) -> Self {
        let hosted = authorities.into_iter().map(|(name, authority)| {
            let known = registry.of(&name).to_vec();
            Hosted::new(name, authority, known)
        });
        Self {
            hosted: hosted.collect(),
            clock,
            ttl: TTL,
        }
    }

    /// Sets how long certificates hold.
    #[must_use]
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Serves until `shutdown`, then ends the calls that are under way.
    ///
    /// # Errors
    /// If the listener has no address, so that it cannot serve.
    pub async fn serve(
        self,
        listener: TcpListener,
        tls: ServerTls,
        shutdown: CancellationToken,
    ) -> io::Result<()> {
        let address = listener.local_addr()?;
        tracing::info!(%address, "the certificate authorities listen");
        let routes = routes::routes(Arc::new(self));
        connections::serve(listener, tls, routes, shutdown).await;
        Ok(())
    }

    /// The authority of a name; the first, if there is no name.
    fn authority(&self, name: Option<&str>) -> Result<&Hosted, Refusal> {
        let found = match name {
            None => self.hosted.first(),
            Some(name) => self.hosted.iter().find(|hosted| hosted.name() == name),
        };
        found.ok_or_else(|| Refusal::no_authority(name.unwrap_or_default()))
    }
}
