//! Connections: accepted up to a bound, HTTP/1.1 and HTTP/2 without TLS, each for
//! a limited time, and drained at the shutdown.

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, response::Response};
use http::Request;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{Service, ServiceExt};

use super::call::Peer;
use crate::config::Limits;

/// How often a quiet connection is asked whether it lives, and how long it may
/// take to say so.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of a request's head.
const HEAD_BYTES: u32 = 16 << 10;

/// How long calls may last on a connection that is too old: longer than the
/// longest call.
const AGED_GRACE: Duration = Duration::from_secs(70);

/// Pause after a failure to accept, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The connections of one port.
pub(super) struct Connections {
    tasks: TaskTracker,
    closing: CancellationToken,
    aborting: CancellationToken,
    room: Arc<Semaphore>,
    age: Duration,
    drain: Duration,
    http: Builder<TokioExecutor>,
}

/// Accepts connections until the shutdown, and answers those that are left.
pub(super) async fn accept(
    listener: TcpListener,
    router: Router,
    limits: &Limits,
    shutdown: CancellationToken,
) -> Connections {
    let connections = Connections::new(limits);
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) => connections.open(stream, peer, &router),
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
    fn new(limits: &Limits) -> Self {
        Self {
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            aborting: CancellationToken::new(),
            room: Arc::new(Semaphore::new(limits.connections)),
            age: Duration::from_secs(limits.connection_age_s),
            drain: Duration::from_millis(limits.drain_ms),
            http: http(limits),
        }
    }

    /// Lets the calls under way end, and cuts those that take too long.
    pub(super) async fn drain(self) {
        self.closing.cancel();
        self.tasks.close();
        if tokio::time::timeout(self.drain, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                connections = self.tasks.len(),
                "calls were cut at the shutdown"
            );
            self.aborting.cancel();
            self.tasks.wait().await;
        }
    }

    fn open(&self, stream: TcpStream, peer: SocketAddr, router: &Router) {
        let Ok(room) = self.room.clone().try_acquire_owned() else {
            tracing::warn!(client.address = %peer.ip(), "too many connections");
            return;
        };
        // Without it small answers wait for the client's acknowledgement.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error = %error, "a connection ended at once");
            return;
        }
        let service = TowerToHyperService::new(from_peer(router.clone(), peer));
        let served = self
            .http
            .serve_connection(TokioIo::new(stream), service)
            .into_owned();
        let (age, closing) = (self.age, self.closing.clone());
        let connection = async move {
            let mut served = pin!(served);
            let aged = tokio::time::timeout(age, closing.cancelled());
            let leaving = tokio::select! {
                ended = served.as_mut() => return log_end(ended),
                leaving = aged => leaving,
            };
            served.as_mut().graceful_shutdown();
            match leaving {
                // The drain has a bound of its own.
                Ok(()) => log_end(served.await),
                Err(_) => {
                    if let Ok(ended) = tokio::time::timeout(AGED_GRACE, served).await {
                        log_end(ended);
                    }
                }
            }
        };
        let aborting = self.aborting.clone();
        self.tasks.spawn(async move {
            aborting.run_until_cancelled(connection).await;
            drop(room);
        });
    }
}

/// The router, told who is at the other end.
fn from_peer(
    router: Router,
    peer: SocketAddr,
) -> impl Service<Request<hyper::body::Incoming>, Response = Response, Error = Infallible, Future: Send>
+ Clone
+ Send {
    router.map_request(move |mut request: Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(Peer(peer.ip()));
        request
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

fn log_end<E: std::fmt::Display>(ended: Result<(), E>) {
    if let Err(error) = ended {
        tracing::debug!(error = %error, "a connection broke");
    }
}
