//! Connections: accepted up to a bound, in all and from one address, HTTP/1.1 and
//! HTTP/2 without TLS, each for a limited time and not for long without a call, and
//! drained at the shutdown.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::{Router, response::Response};
use http::Request;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{Service, service_fn};

use super::{
    call::{Leaving, Peer},
    open::Open,
};
use crate::{
    config::{Limits, Network},
    id,
    limits::{Share, Shares, household},
};

/// How often a quiet connection is asked whether it lives, and how long it may
/// take to say so.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of a request's head.
const HEAD_BYTES: u32 = 16 << 10;

/// How long calls may last on a connection that is too old: longer than the
/// longest call. Those that stay open are told to leave.
const AGED_GRACE: Duration = Duration::from_secs(70);

/// How long a client without a call may take to leave when it is asked to.
const IDLE_GRACE: Duration = Duration::from_secs(3);

/// Pause after a failure to accept, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The connections of one port.
pub(super) struct Connections {
    tasks: TaskTracker,
    room: Arc<Semaphore>,
    addresses: Shares<IpAddr>,
    proxies: Vec<Network>,
    drain: Duration,
    shared: Arc<Shared>,
}

/// What every connection is told.
struct Shared {
    http: Builder<TokioExecutor>,
    router: Router,
    idle: Duration,
    age: Duration,
    closing: CancellationToken,
    aborting: CancellationToken,
}

/// Accepts connections until the shutdown, and answers those that are left.
pub(super) async fn accept(
    listener: TcpListener,
    router: Router,
    limits: &Limits,
    shutdown: CancellationToken,
) -> Connections {
    let connections = Connections::new(router, limits);
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) => connections.open(stream, peer),
            Err(error) => {
                tracing::warn!(error = %error, "a connection could not be accepted");
                shutdown
                    .run_until_cancelled(tokio::time::sleep(ACCEPT_PAUSE))
                    .await;
            }
        }
    }
    connections
}

impl Connections {
    fn new(router: Router, limits: &Limits) -> Self {
        Self {
            tasks: TaskTracker::new(),
            room: Arc::new(Semaphore::new(limits.connections)),
            addresses: Shares::new(limits.address_connections),
            proxies: limits.trusted_proxies.clone(),
            drain: Duration::from_millis(limits.drain_ms),
            shared: Arc::new(Shared {
                http: http(limits),
                router,
                idle: Duration::from_secs(limits.connection_idle_s),
                age: Duration::from_secs(limits.connection_age_s),
                closing: CancellationToken::new(),
                aborting: CancellationToken::new(),
            }),
        }
    }

    /// Lets the calls under way end, and cuts those that take too long.
    pub(super) async fn drain(self) {
        self.shared.closing.cancel();
        self.tasks.close();
        let drained = tokio::time::timeout(self.drain, self.tasks.wait());
        if drained.await.is_err() {
            let connections = self.tasks.len();
            tracing::warn!(connections, "calls were cut at the shutdown");
            self.shared.aborting.cancel();
            self.tasks.wait().await;
        }
    }

    fn open(&self, stream: TcpStream, peer: SocketAddr) {
        let Some(place) = self.place(peer.ip().to_canonical()) else {
            tracing::warn!(client.address = %peer.ip(), "too many connections");
            return;
        };
        let shared = self.shared.clone();
        self.tasks.spawn(async move {
            let served = shared.serve(stream, peer);
            if let Some(Err(error)) = shared.aborting.run_until_cancelled(served).await {
                tracing::debug!(error = %error, "a connection broke");
            }
            drop(place);
        });
    }

    /// A place among all, and among those of the address. A proxy has the connections
    /// of all its clients, so it is not held to what one may have.
    fn place(&self, peer: IpAddr) -> Option<(OwnedSemaphorePermit, Option<Share<IpAddr>>)> {
        let room = self.room.clone().try_acquire_owned().ok()?;
        if self.proxies.iter().any(|proxies| proxies.contains(peer)) {
            return Some((room, None));
        }
        let share = self.addresses.take(household(peer))?;
        Some((room, Some(share)))
    }
}

type Served = Result<(), Box<dyn std::error::Error + Send + Sync>>;

impl Shared {
    async fn serve(&self, stream: TcpStream, peer: SocketAddr) -> Served {
        // Without it small answers wait for the client's acknowledgement.
        stream.set_nodelay(true)?;
        let speaks = tokio::time::timeout(HEAD_TIMEOUT, stream.readable());
        match self.closing.run_until_cancelled(speaks).await {
            Some(spoke) => spoke??,
            None => return Ok(()),
        }
        let leaving = Leaving(self.closing.child_token());
        let open = Open::default();
        let service = from_peer(self.router.clone(), peer, leaving.clone(), open.clone());
        let service = TowerToHyperService::new(service);
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(stream), service));
        let aged = tokio::time::timeout(self.lifetime(), self.closing.cancelled());
        let is_closing = tokio::select! {
            ended = connection.as_mut() => return ended,
            closing = aged => closing.is_ok(),
            () = open.idle(self.idle) => false,
        };
        connection.as_mut().graceful_shutdown();
        leaving.0.cancel();
        if is_closing {
            // The drain has a bound of its own.
            return connection.await;
        }
        tokio::select! {
            ended = tokio::time::timeout(AGED_GRACE, connection) => ended?,
            () = open.idle(IDLE_GRACE) => Ok(()),
        }
    }

    /// Spread, so that connections made at once are not remade at once.
    fn lifetime(&self) -> Duration {
        self.age + Duration::from_secs(id::jitter(self.age.as_secs() / 8))
    }
}

/// The router, told who is at the other end; its calls are counted while they are
/// open.
fn from_peer(
    router: Router,
    peer: SocketAddr,
    leaving: Leaving,
    open: Open,
) -> impl Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send> + Clone + Send
{
    service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer.ip()));
        request.extensions_mut().insert(leaving.clone());
        let (mut router, call) = (router.clone(), open.enter());
        async move { Ok(call.answered(router.call(request).await?)) }
    })
}

fn http(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(HEAD_BYTES)
        .keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT);
    builder
}
