//! The devnet on Fabric's wire: a peer's gateway and block delivery over TLS, as
//! Fabric's own clients expect them.

mod answer;
mod call;
mod commit_status;
mod connection;
mod deliver;
mod endorse;
mod evaluate;
mod events;
mod filtered;
mod gateway;
mod seek;
mod status;
mod submit;

use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::{self, Identity, ServerTlsConfig};

use self::{answer::Gate, connection::incoming, deliver::Delivery, gateway::Peer};
use super::{
    core::Core,
    trust::{Roll, Trust},
};
use crate::proto::{gateway::gateway_server::GatewayServer, protos::deliver_server::DeliverServer};

/// The largest message either way; what peers take and send.
const MESSAGE_BYTES_MAX: usize = 100 << 20;

/// How long clients may take to read the last that they are told.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Why the devnet cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The devnet believes everybody, so nobody may speak to it from outside.
    #[error("a devnet without certificates does not serve")]
    Trusting,
    /// No endorser could answer for the organization.
    #[error("an organization without endorsers does not serve")]
    NoEndorser,
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The TLS certificate and key cannot be used, or serving ended by an error.
    #[error(transparent)]
    Transport(#[from] transport::Error),
    /// The serving task has panicked.
    #[error("the serving task has failed")]
    Task,
}

/// Where and how to serve.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// The address; port 0 takes a free one.
    pub address: SocketAddr,
    /// The server's certificate in PEM.
    pub tls_certificate: String,
    /// Its private key in PEM.
    pub tls_key: String,
    /// The organization whose peer this is; the first endorser's if none is named.
    pub msp_id: Option<String>,
    /// The gateway answers at most so many calls at once; open streams count.
    pub gateway_calls_max: usize,
    /// At most so many block streams are open at once.
    pub deliver_streams_max: usize,
}

impl ServerOptions {
    /// With a certificate and Fabric's default limits.
    pub fn new(address: SocketAddr, tls_certificate: String, tls_key: String) -> Self {
        Self {
            address,
            tls_certificate,
            tls_key,
            msp_id: None,
            gateway_calls_max: 500,
            deliver_streams_max: 2_500,
        }
    }
}

/// A devnet that serves. Dropping it ends the serving.
pub struct Server {
    address: SocketAddr,
    cancel: DropGuard,
    task: JoinHandle<Result<(), transport::Error>>,
}

impl Server {
    /// Serves a core until `shutdown`, which also ends every waiting call and stream.
    /// Blocks are cut by whoever steps the core, or by a [`Driver`](super::Driver).
    ///
    /// # Errors
    /// If the core knows nobody by certificate, or the address or the TLS certificate
    /// cannot be used.
    pub async fn start(
        core: Arc<Core>,
        options: ServerOptions,
        shutdown: &CancellationToken,
    ) -> Result<Self, ServerError> {
        let listener =
            TcpListener::bind(options.address)
                .await
                .map_err(|source| ServerError::Listen {
                    address: options.address,
                    source,
                })?;
        Self::over(listener, core, options, shutdown)
    }

    /// As [`Server::start`], on a port that listens already.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn over(
        listener: TcpListener,
        core: Arc<Core>,
        options: ServerOptions,
        shutdown: &CancellationToken,
    ) -> Result<Self, ServerError> {
        let cancel = shutdown.child_token();
        let peer = peer(core, &options, cancel.clone())?;
        let address = listener
            .local_addr()
            .map_err(|source| ServerError::Listen {
                address: options.address,
                source,
            })?;
        let tls = Identity::from_pem(&options.tls_certificate, &options.tls_key);
        let mut server =
            transport::Server::builder().tls_config(ServerTlsConfig::new().identity(tls))?;
        let delivery = Delivery::new(peer.clone(), options.deliver_streams_max);
        let router = server
            .add_service(
                GatewayServer::new(peer)
                    .max_decoding_message_size(MESSAGE_BYTES_MAX)
                    .max_encoding_message_size(MESSAGE_BYTES_MAX),
            )
            .add_service(
                DeliverServer::new(delivery)
                    .max_decoding_message_size(MESSAGE_BYTES_MAX)
                    .max_encoding_message_size(MESSAGE_BYTES_MAX),
            );
        let (ended, cut) = (cancel.clone().cancelled_owned(), CancellationToken::new());
        let incoming = incoming(listener, cut.clone());
        let serving = router.serve_with_incoming_shutdown(incoming, ended);
        let task = tokio::spawn(cut_in_the_end(serving, cancel.clone(), cut));
        Ok(Self {
            address,
            cancel: cancel.drop_guard(),
            task,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more calls, ends those that wait, and frees the port; who does not read
    /// what it is told is cut off.
    ///
    /// # Errors
    /// If serving had ended by an error before.
    pub async fn shutdown(self) -> Result<(), ServerError> {
        self.cancel.disarm().cancel();
        Ok(self.task.await.map_err(|_| ServerError::Task)??)
    }
}

/// Serves until it is cancelled and everybody has read the end of what was under way. Who
/// does not read is cut off: its connection would never end.
async fn cut_in_the_end<T>(
    serving: impl Future<Output = T>,
    cancel: CancellationToken,
    cut: CancellationToken,
) -> T {
    let mut serving = pin!(serving);
    tokio::select! {
        served = &mut serving => return served,
        () = cancel.cancelled() => {}
    }
    tokio::select! {
        served = &mut serving => return served,
        () = tokio::time::sleep(LAST_WORDS) => cut.cancel(),
    }
    serving.await
}

fn peer(
    core: Arc<Core>,
    options: &ServerOptions,
    cancel: CancellationToken,
) -> Result<Peer, ServerError> {
    let roll: Arc<Roll> = match &core.options().trust {
        Trust::Certificates(roll) => roll.clone(),
        Trust::Word => return Err(ServerError::Trusting),
    };
    let mut endorsers = core.options().endorsers.iter();
    let own = endorsers.find(|endorser| {
        let named = options.msp_id.as_ref();
        named.is_none_or(|msp_id| *msp_id == endorser.msp_id)
    });
    let msp_id = own.ok_or(ServerError::NoEndorser)?.msp_id.clone();
    let gate = Gate {
        service: "/gateway.Gateway",
        permits: Arc::new(Semaphore::new(options.gateway_calls_max)),
        max: options.gateway_calls_max,
    };
    Ok(Peer {
        core,
        roll,
        msp_id,
        gate,
        cancel,
    })
}
