//! Lines behind the answer: users' reads and refusals, in a bounded queue that is
//! written in batches.

use std::time::Duration;

use metrics::counter;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Entry, record::insert_in};
use crate::{error::Result, store::Store, telemetry::metrics::AUDIT_DROPPED};

/// Lines that may wait; further ones are dropped and counted.
const WAITING: usize = 16_384;

/// Lines of one transaction.
const BATCH: usize = 500;

/// Pause before a batch that could not be written is tried again, and how often.
const PAUSE: Duration = Duration::from_secs(1);
const TRIES: usize = 60;

type Line = (i64, Entry);

/// Takes lines without making the caller wait; cheap to clone.
#[derive(Debug, Clone)]
pub struct Trail {
    lines: mpsc::Sender<Line>,
}

/// Writes what a [`Trail`] took.
#[derive(Debug)]
pub struct TrailWriter {
    lines: mpsc::Receiver<Line>,
}

/// A trail and the end that writes it.
pub fn trail() -> (Trail, TrailWriter) {
    bounded(WAITING)
}

fn bounded(waiting: usize) -> (Trail, TrailWriter) {
    let (sender, receiver) = mpsc::channel(waiting);
    (Trail { lines: sender }, TrailWriter { lines: receiver })
}

impl Trail {
    /// Takes a line, or drops and counts it if too many wait.
    pub fn record(&self, at_ms: i64, entry: Entry) {
        if self.lines.try_send((at_ms, entry)).is_err() {
            count_dropped(1);
        }
    }
}

impl TrailWriter {
    /// Writes until the shutdown, and then what still waits. Give it a token that
    /// is cancelled once the servers have ended, so that nothing is lost.
    pub async fn run(mut self, store: Store, shutdown: CancellationToken) {
        let mut batch = Vec::new();
        loop {
            let received = self.lines.recv_many(&mut batch, BATCH);
            match shutdown.run_until_cancelled(received).await {
                Some(0) | None => break,
                Some(_) => write(&store, std::mem::take(&mut batch), &shutdown).await,
            }
        }
        self.lines.close();
        while self.lines.recv_many(&mut batch, BATCH).await > 0 {
            write(&store, std::mem::take(&mut batch), &shutdown).await;
        }
    }

    /// What waits to be written.
    #[cfg(test)]
    pub(crate) fn taken(&mut self) -> Vec<Entry> {
        std::iter::from_fn(|| self.lines.try_recv().ok())
            .map(|(_, entry)| entry)
            .collect()
    }
}

/// Writes a batch, again and again while the database is away and the process
/// goes on; meanwhile lines wait, up to the bound.
async fn write(store: &Store, batch: Vec<Line>, shutdown: &CancellationToken) {
    for _ in 0..TRIES {
        match try_write(store, batch.clone()).await {
            Ok(()) => return,
            Err(error) => tracing::error!(error = %error, "audit lines could not be written"),
        }
        let pause = tokio::time::sleep(PAUSE);
        if shutdown.run_until_cancelled(pause).await.is_none() {
            break;
        }
    }
    count_dropped(batch.len() as u64);
}

async fn try_write(store: &Store, batch: Vec<Line>) -> Result<()> {
    let tx = store.begin().await?;
    insert_in(&tx, batch).await?;
    Ok(tx.commit().await?)
}

fn count_dropped(lines: u64) {
    counter!(AUDIT_DROPPED).increment(lines);
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;
    use crate::{
        audit::tests::{entry, lines},
        store::DatabaseUrl,
    };

    #[tokio::test]
    async fn what_waits_at_the_shutdown_is_written() {
        let store = Store::open(&DatabaseUrl::SqliteMemory).await.unwrap();
        let (trail, writer) = trail();
        let shutdown = CancellationToken::new();
        for number in 0..BATCH + 2 {
            trail.record(5, entry(&format!("wallets/{number}")));
        }
        shutdown.cancel();
        writer.run(store.clone(), shutdown).await;
        let lines = lines(&store).await;
        assert_eq!(lines.len(), BATCH + 2);
        assert_eq!(
            (lines[1].at_ms, lines[1].subject.as_str()),
            (5, "wallets/1")
        );
    }

    #[tokio::test]
    async fn the_writer_ends_with_the_last_trail() {
        let store = Store::open(&DatabaseUrl::SqliteMemory).await.unwrap();
        let (trail, writer) = trail();
        trail.record(5, entry("wallets/1"));
        drop(trail);
        writer.run(store.clone(), CancellationToken::new()).await;
        assert_eq!(lines(&store).await.len(), 1);
    }

    #[test]
    fn lines_beyond_the_bound_are_dropped_and_counted() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let (trail, mut writer) = bounded(2);
        metrics::with_local_recorder(&recorder, || {
            for _ in 0..5 {
                trail.record(5, entry("wallets/1"));
            }
        });
        assert_eq!(writer.taken().len(), 2);
        let text = recorder.handle().render();
        assert!(text.contains("gx_audit_dropped_total 3"), "{text}");
    }
}
