//! The server: a port, TLS, and a stream for each peer that dials in.

use std::{sync::Arc, time::Duration};

use futures::{Stream as Messages, stream};
use tokio::{net::TcpListener, sync::Semaphore, sync::mpsc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::{
    Request, Response, Status, Streaming,
    transport::{Certificate, Error, Identity, Server, ServerTlsConfig, server::TcpIncoming},
};

use super::{
    observer::Observer,
    runner::Runner,
    stream::{Hub, Stream},
};
use crate::{
    Contract,
    devnet::Clock,
    proto::protos::{
        ChaincodeMessage,
        chaincode_server::{Chaincode, ChaincodeServer},
    },
};

/// The largest message that peers send and take.
pub const MESSAGE_BYTES_MAX: usize = 100 << 20;

/// Most streams at once. A peer has one.
const STREAMS_MAX: usize = 64;
/// Messages that may wait to be sent on one stream.
const OUTGOING_MAX: usize = 64;
/// Bytes that may be under way to us: enough for a large batch without a pause.
const WINDOW_BYTES: u32 = 4 << 20;
/// How often a silent connection is looked after, and for how long, as in Fabric's
/// own shims.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(60);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
/// How long closed streams may take to leave, once nothing runs on them.
const LEAVE: Duration = Duration::from_secs(2);

/// What a server is made of.
#[derive(Clone)]
pub struct Options {
    /// The id under which peers have installed the package: `label:sha256`.
    pub package_id: String,
    /// What is run.
    pub contract: Arc<dyn Contract>,
    /// Refuses proposals from the future.
    pub clock: Clock,
    /// Transactions that run at once for one peer; further ones wait in order.
    pub threads: usize,
    /// How long a peer may take for one answer; then the transaction fails.
    pub answer_timeout: Duration,
    /// How long transactions under way may take to end, once the server stops.
    pub drain: Duration,
    /// Larger messages end a stream when they come in, and are not sent.
    pub message_bytes_max: usize,
    /// Without it peers speak plain text, for a network of one's own alone.
    pub tls: Option<Tls>,
    /// Counts.
    pub observer: Arc<dyn Observer>,
}

/// How the server proves who it is, and whom it takes. All in PEM.
#[derive(Clone)]
pub struct Tls {
    /// The server's certificate, with its chain.
    pub certificate: String,
    /// Its key.
    pub key: String,
    /// Takes only peers whose certificate these issued; nobody is asked without.
    pub client_authorities: Option<String>,
}

/// Serves peers until `shutdown`, and until what is under way then has ended or
/// its time is over.
///
/// # Errors
/// If the certificates cannot be used, or the port fails.
pub async fn serve(
    listener: TcpListener,
    options: Options,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let tls = options.tls.clone().map(tls);
    let drain = options.drain;
    let service = Service::new(options, &shutdown);
    let (streams, abandon) = (service.streams.clone(), service.abandon.clone());
    let message_bytes_max = service.hub.options.message_bytes_max;

    let mut server = Server::builder()
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .http2_keepalive_interval(Some(KEEPALIVE_EVERY))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT));
    if let Some(tls) = tls {
        server = server.tls_config(tls)?;
    }
    let chaincode = ChaincodeServer::new(service)
        .max_decoding_message_size(message_bytes_max)
        .max_encoding_message_size(message_bytes_max);
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let serving = server
        .add_service(chaincode)
        .serve_with_incoming_shutdown(incoming, shutdown.clone().cancelled_owned());

    // A peer that neither reads nor closes keeps nobody here.
    let overdue = async {
        shutdown.cancelled().await;
        tokio::time::sleep(drain + LEAVE).await;
    };
    let served = tokio::select! {
        served = serving => served,
        () = overdue => Ok(()),
    };
    abandon.cancel();
    streams.close();
    streams.wait().await;
    served
}

fn tls(tls: Tls) -> ServerTlsConfig {
    let identity = Identity::from_pem(tls.certificate, tls.key);
    let config = ServerTlsConfig::new().identity(identity);
    match tls.client_authorities {
        Some(authorities) => config.client_ca_root(Certificate::from_pem(authorities)),
        None => config,
    }
}

/// `protos.Chaincode`.
struct Service {
    hub: Arc<Hub>,
    places: Arc<Semaphore>,
    streams: TaskTracker,
    abandon: CancellationToken,
}

impl Service {
    fn new(options: Options, shutdown: &CancellationToken) -> Self {
        let runner = Runner {
            contract: options.contract.clone(),
            clock: options.clock.clone(),
        };
        Self {
            hub: Arc::new(Hub {
                options,
                runner,
                shutdown: shutdown.clone(),
            }),
            places: Arc::new(Semaphore::new(STREAMS_MAX)),
            streams: TaskTracker::new(),
            abandon: CancellationToken::new(),
        }
    }
}

/// What leaves on one stream.
type Outgoing = std::pin::Pin<Box<dyn Messages<Item = Result<ChaincodeMessage, Status>> + Send>>;

#[tonic::async_trait]
impl Chaincode for Service {
    type ConnectStream = Outgoing;

    async fn connect(
        &self,
        request: Request<Streaming<ChaincodeMessage>>,
    ) -> Result<Response<Outgoing>, Status> {
        if self.hub.shutdown.is_cancelled() {
            return Err(Status::unavailable("the chaincode server is stopping"));
        }
        let place = self.places.clone().try_acquire_owned();
        let place = place.map_err(|_| Status::resource_exhausted("too many streams"))?;
        let peer = request
            .remote_addr()
            .map_or_else(String::new, |address| address.to_string());
        tracing::info!(peer, "a peer has opened a stream");

        let (sender, mut receiver) = mpsc::channel(OUTGOING_MAX);
        let stream = Stream::open(self.hub.clone(), peer, sender).await;
        let abandon = self.abandon.clone();
        self.streams.spawn(async move {
            let _place = place;
            stream.run(request.into_inner(), abandon).await;
        });
        let outgoing = stream::poll_fn(move |context| receiver.poll_recv(context));
        Ok(Response::new(Box::pin(outgoing)))
    }
}
