//! Where the network is and how it is spoken to.

use std::time::Duration;

use crate::devnet::{Clock, Nonces, system_clock, system_nonces};

/// A peer that serves the gateway and blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerOptions {
    /// Host and port.
    pub address: String,
    /// The name in the peer's certificate, where it is not the host.
    pub server_name: Option<String>,
}

/// Whom to trust, and who this is, on the connection itself. Speaking for the
/// organization is another matter: that is what identities are for.
#[derive(Clone)]
pub struct TlsOptions {
    /// The authorities of the peers' certificates, in PEM.
    pub authorities: String,
    /// A certificate and its key in PEM, for networks that want to know clients.
    pub client: Option<(String, String)>,
}

/// How long a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Making a connection.
    pub connect: Duration,
    /// Answering a question.
    pub evaluate: Duration,
    /// Endorsing a batch.
    pub endorse: Duration,
    /// Handing an envelope to the orderer.
    pub submit: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            evaluate: Duration::from_secs(5),
            endorse: Duration::from_secs(15),
            submit: Duration::from_secs(5),
        }
    }
}

/// Calls under way at once unless told otherwise. Fabric's gateway takes 500 of one
/// kind, streams and waiting status calls included, and shares them among clients.
pub const IN_FLIGHT: usize = 200;

/// What a client of a network is made of.
#[derive(Clone)]
pub struct ClientOptions {
    /// The channel.
    pub channel: String,
    /// The chaincode's name.
    pub chaincode: String,
    /// The organization under which batches are submitted.
    pub msp_id: String,
    /// The peers, the preferred one first.
    pub peers: Vec<PeerOptions>,
    /// The connection's security.
    pub tls: TlsOptions,
    /// How long calls may take.
    pub deadlines: Deadlines,
    /// Calls under way at once to one peer; further ones wait for their turn.
    pub in_flight: usize,
    /// Dates proposals.
    pub clock: Clock,
    /// Makes transactions' ids unlike all others.
    pub nonces: Nonces,
}

impl ClientOptions {
    /// With default deadlines and limits, and the system's clock and nonces.
    pub fn new(
        channel: impl Into<String>,
        chaincode: impl Into<String>,
        msp_id: impl Into<String>,
        peers: Vec<PeerOptions>,
        tls: TlsOptions,
    ) -> Self {
        Self {
            channel: channel.into(),
            chaincode: chaincode.into(),
            msp_id: msp_id.into(),
            peers,
            tls,
            deadlines: Deadlines::default(),
            in_flight: IN_FLIGHT,
            clock: system_clock(),
            nonces: system_nonces(),
        }
    }
}
