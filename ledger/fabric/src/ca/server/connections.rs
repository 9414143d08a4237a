//! Connections: so many at once, each secured soon, read soon, and ended at the
//! shutdown.

use std::{sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::ca::ServerTls;

/// Connections at once; further ones wait to be taken.
const CONNECTIONS: usize = 256;
/// How long a connection may take to be secured, and a request's head to arrive.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long to rest when the system gives no connection, say for want of files.
const REST: Duration = Duration::from_millis(100);

pub(super) async fn serve(
    listener: TcpListener,
    tls: ServerTls,
    routes: Router,
    shutdown: CancellationToken,
) {
    let (acceptor, tasks) = (TlsAcceptor::from(tls.0), TaskTracker::new());
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let take = async || {
        let permit = permits.clone().acquire_owned().await;
        (permit, listener.accept().await)
    };
    while let Some((permit, taken)) = shutdown.run_until_cancelled(take()).await {
        let stream = match taken {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "no connection can be taken");
                shutdown.run_until_cancelled(sleep(REST)).await;
                continue;
            }
        };
        let (acceptor, routes) = (acceptor.clone(), routes.clone());
        let shutdown = shutdown.clone();
        tasks.spawn(async move {
            connection(stream, acceptor, routes, shutdown).await;
            drop(permit);
        });
    }
    tasks.close();
    tasks.wait().await;
}

/// One connection; what goes wrong on it is its client's matter.
async fn connection(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    routes: Router,
    shutdown: CancellationToken,
) {
    let secured = timeout(HEAD_TIME, acceptor.accept(stream));
    let Some(Ok(Ok(stream))) = shutdown.run_until_cancelled(secured).await else {
        tracing::debug!("a connection was not secured");
        return;
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}
