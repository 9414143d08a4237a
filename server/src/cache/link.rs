//! The connection to Redis. While there is none every question is answered with
//! `None` at once, so that nobody waits for what is only there to be quick. The crate's
//! own manager would let them wait, and would not ask Sentinels anew after a failover.

use std::{future::Future, sync::Arc, time::Duration};

use metrics::{counter, gauge};
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, RedisError, RedisResult, ServerErrorKind,
    aio::{MultiplexedConnection, PubSub},
};
use tokio::{
    sync::{Mutex, Notify, watch},
    time::{interval, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::source::Source;
use crate::{
    config,
    telemetry::{
        Readiness, State,
        metrics::{REDIS_CONNECTED, REDIS_QUESTIONS},
    },
};

/// How long to wait before another try to connect.
const RETRY: Duration = Duration::from_millis(250);
/// How often a connection is tried that nobody uses.
const PING: Duration = Duration::from_secs(1);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(2);

/// Redis as processes share it; cheap to clone.
#[derive(Debug, Clone)]
pub struct Redis {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    source: Mutex<Source>,
    connection: watch::Sender<Option<Connection>>,
    lost: Notify,
    prefix: String,
    answer: Duration,
}

/// A connection, and which one in the order of their making: who finds it broken says
/// so of this one alone.
#[derive(Clone)]
struct Connection {
    number: u64,
    to: MultiplexedConnection,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connection({})", self.number)
    }
}

impl Redis {
    /// As the settings say; `None` if they name no Redis. Nothing is connected yet.
    ///
    /// # Errors
    /// If a file of the settings cannot be read.
    pub fn new(settings: &config::Redis) -> anyhow::Result<Option<Self>> {
        if !settings.is_set() {
            return Ok(None);
        }
        let inner = Inner {
            source: Mutex::new(Source::new(settings)?),
            connection: watch::Sender::new(None),
            lost: Notify::new(),
            prefix: settings.prefix.clone(),
            answer: Duration::from_millis(settings.timeout_ms),
        };
        Ok(Some(Self {
            inner: Arc::new(inner),
        }))
    }

    /// The full name of a key or a channel.
    pub(super) fn name(&self, name: &str) -> String {
        format!("{}:{name}", self.inner.prefix)
    }

    /// Asks Redis something. `None` if it is away or does not answer in time: whoever
    /// asks goes on without.
    pub(super) async fn ask<T, F>(
        &self,
        question: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Option<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let connection = self.inner.connection.borrow().clone();
        let Some(Connection { number, to }) = connection else {
            counter!(REDIS_QUESTIONS, "outcome" => "away").increment(1);
            return None;
        };
        match question(to).await {
            Ok(answer) => {
                counter!(REDIS_QUESTIONS, "outcome" => "answered").increment(1);
                Some(answer)
            }
            Err(error) => {
                counter!(REDIS_QUESTIONS, "outcome" => "failed").increment(1);
                self.failed(number, &error);
                None
            }
        }
    }

    /// Drops a connection that an error condemns. A command that is refused, for want of
    /// a right or of memory, does not; a server that is no primary any more does.
    fn failed(&self, number: u64, error: &RedisError) {
        let elsewhere = [
            ServerErrorKind::ReadOnly,
            ServerErrorKind::MasterDown,
            ServerErrorKind::BusyLoading,
        ];
        let elsewhere = elsewhere.map(ErrorKind::Server).contains(&error.kind());
        if !(elsewhere || error.is_io_error() || error.is_unrecoverable_error()) {
            tracing::debug!(%error, "redis refused a command");
            return;
        }
        let mine = |held: &mut Option<Connection>| {
            let mine = held.as_ref().is_some_and(|held| held.number == number);
            if mine {
                *held = None;
            }
            mine
        };
        if self.inner.connection.send_if_modified(mine) {
            tracing::warn!(%error, "redis is lost");
            self.inner.lost.notify_one();
        }
    }

    /// Keeps a connection until shutdown: made again whenever it is lost, to whichever
    /// server is the primary then.
    pub async fn run(self, readiness: Readiness, shutdown: CancellationToken) {
        let kept = async {
            let (mut number, mut told) = (0, false);
            loop {
                number += 1;
                match self.connect().await {
                    Ok(to) => {
                        let connection = Connection { number, to };
                        self.inner.connection.send_replace(Some(connection));
                        gauge!(REDIS_CONNECTED).set(1.0);
                        readiness.set("redis", State::Ready);
                        tracing::info!("redis is connected");
                        told = false;
                        self.lost().await;
                    }
                    Err(error) if told => tracing::debug!(%error, "redis cannot be reached"),
                    Err(error) => {
                        tracing::warn!(%error, "redis cannot be reached");
                        told = true;
                        readiness.set("redis", State::Degraded(error.to_string()));
                    }
                }
                gauge!(REDIS_CONNECTED).set(0.0);
                sleep(RETRY).await;
            }
        };
        shutdown.run_until_cancelled(kept).await;
    }

    /// Waits until the connection is lost, and asks now and then whether it is: nobody
    /// else may ask for long.
    async fn lost(&self) {
        let mut ticks = interval(PING);
        loop {
            tokio::select! {
                () = self.inner.lost.notified() => return,
                _ = ticks.tick() => {
                    let ping = |mut to| async move { redis::cmd("PING").exec_async(&mut to).await };
                    self.ask(ping).await;
                }
            }
        }
    }

    pub(super) async fn connect(&self) -> anyhow::Result<MultiplexedConnection> {
        let client = self.primary().await?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(self.inner.answer));
        Ok(client
            .get_multiplexed_async_connection_with_config(&config)
            .await?)
    }

    /// A connection of its own that hears channels.
    pub(super) async fn listener(&self) -> anyhow::Result<PubSub> {
        let client = self.primary().await?;
        Ok(timeout(CONNECT, client.get_async_pubsub()).await??)
    }

    async fn primary(&self) -> anyhow::Result<Client> {
        let mut source = self.inner.source.lock().await;
        Ok(timeout(CONNECT, source.primary()).await??)
    }
}
