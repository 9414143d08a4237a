//! Peers: connections that are made when they are needed, and which peer is asked.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::sync::Semaphore;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use super::options::{ClientOptions, PeerOptions};
use crate::{
    LedgerError,
    proto::{gateway::gateway_client::GatewayClient, protos::deliver_client::DeliverClient},
};

/// Peers send messages up to this size; tonic's own limit is 4 MiB.
const MESSAGE_BYTES_MAX: usize = 100 << 20;
/// Tells a dead connection from a quiet one. A server ends connections that are
/// pinged more than once a minute.
const PING_EVERY: Duration = Duration::from_secs(61);
/// How long a ping may be unanswered.
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// A peer.
pub(super) struct Peer {
    /// Host and port, for messages.
    pub(super) address: String,
    /// Room for calls.
    pub(super) window: Semaphore,
    endpoint: Endpoint,
    calls: Channel,
}

impl Peer {
    fn new(peer: &PeerOptions, options: &ClientOptions) -> Result<Self, LedgerError> {
        let endpoint = endpoint(peer, options)?;
        Ok(Self {
            address: peer.address.clone(),
            window: Semaphore::new(options.in_flight),
            calls: endpoint.connect_lazy(),
            endpoint,
        })
    }

    /// Its gateway.
    pub(super) fn gateway(&self) -> GatewayClient<Channel> {
        GatewayClient::new(self.calls.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Its blocks, on the connection of the calls: for one answer, not for a stream.
    pub(super) fn deliver(&self) -> DeliverClient<Channel> {
        DeliverClient::new(self.calls.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Its blocks, on a connection of their own: whoever reads them slowly holds up
    /// the connection's window, and with it everybody on it.
    pub(super) async fn stream(&self) -> Result<DeliverClient<Channel>, LedgerError> {
        let channel = self.endpoint.connect().await.map_err(|error| {
            let message = format!("{}: {}", self.address, causes(&error));
            LedgerError::Unavailable { message }
        })?;
        Ok(DeliverClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX))
    }
}

fn endpoint(peer: &PeerOptions, options: &ClientOptions) -> Result<Endpoint, LedgerError> {
    let unusable = |error: tonic::transport::Error| {
        LedgerError::internal(format!("peer {}: {}", peer.address, causes(&error)))
    };
    let mut tls =
        ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&options.tls.authorities));
    if let Some(name) = &peer.server_name {
        tls = tls.domain_name(name);
    }
    if let Some((certificate, key)) = &options.tls.client {
        tls = tls.identity(Identity::from_pem(certificate, key));
    }
    let endpoint = Endpoint::from_shared(format!("https://{}", peer.address))
        .and_then(|endpoint| endpoint.tls_config(tls))
        .map_err(unusable)?;
    Ok(endpoint
        .connect_timeout(options.deadlines.connect)
        .http2_keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_TIMEOUT)
        .keep_alive_while_idle(true)
        .tcp_nodelay(true))
}

/// An error with all that lies behind it: tonic's own words are `transport error`.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    words
}

/// All peers; one is asked until it fails.
pub(super) struct Peers {
    peers: Vec<Peer>,
    preferred: AtomicUsize,
}

impl Peers {
    /// Dials nobody yet.
    pub(super) fn new(options: &ClientOptions) -> Result<Self, LedgerError> {
        let peers: Result<Vec<_>, _> = options
            .peers
            .iter()
            .map(|peer| Peer::new(peer, options))
            .collect();
        let peers = peers?;
        if peers.is_empty() {
            return Err(LedgerError::internal("no peers are named"));
        }
        Ok(Self {
            peers,
            preferred: AtomicUsize::new(0),
        })
    }

    /// The peer to ask, and its place.
    pub(super) fn preferred(&self) -> (usize, &Peer) {
        let place = self.preferred.load(Ordering::Relaxed) % self.peers.len();
        (place, &self.peers[place])
    }

    /// Asks the next one from now on, unless somebody has turned away already.
    pub(super) fn turn_from(&self, place: usize) {
        let next = (place + 1) % self.peers.len();
        let turned =
            self.preferred
                .compare_exchange(place, next, Ordering::Relaxed, Ordering::Relaxed);
        if turned.is_ok() && next != place {
            tracing::info!(
                from = self.peers[place].address,
                to = self.peers[next].address,
                "another peer is asked"
            );
        }
    }

    /// Every peer.
    pub(super) fn all(&self) -> &[Peer] {
        &self.peers
    }
}
