//! Lines behind the answer: users' reads and refusals, in a bounded queue that is
//! written in batches.

use metrics::counter;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Entry, record_in};
use crate::{error::Result, store::Store, telemetry::metrics::AUDIT_DROPPED};

/// Lines that may wait; further ones are dropped and counted.
const WAITING: usize = 16_384;

/// Lines of one transaction.
const BATCH: usize = 512;

/// Takes lines without making the caller wait; cheap to clone.
#[derive(Debug, Clone)]
pub struct Trail {
    lines: mpsc::Sender<(i64, Entry)>,
}

/// Writes what a [`Trail`] took.
#[derive(Debug)]
pub struct TrailWriter {
    lines: mpsc::Receiver<(i64, Entry)>,
}

/// A trail and the end that writes it.
pub fn trail() -> (Trail, TrailWriter) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Trail { lines: sender }, TrailWriter { lines: receiver })
}

impl Trail {
    /// Takes a line, or drops and counts it if too many wait.
    pub fn record(&self, at_ms: i64, entry: Entry) {
        if self.lines.try_send((at_ms, entry)).is_err() {
            counter!(AUDIT_DROPPED).increment(1);
        }
    }
}

impl TrailWriter {
    /// Writes until the shutdown, and then what still waits.
    pub async fn run(mut self, store: Store, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            shutdown.run_until_cancelled(self.step(&store)).await;
        }
        self.lines.close();
        while self.step(&store).await > 0 {}
    }

    /// Waits for lines and writes one batch; answers how many there were.
    async fn step(&mut self, store: &Store) -> usize {
        let mut batch = Vec::new();
        self.lines.recv_many(&mut batch, BATCH).await;
        let lines = batch.len();
        if let Err(error) = write(store, batch).await {
            tracing::error!(audit.lines = lines, error = %error, "audit lines dropped");
            counter!(AUDIT_DROPPED).increment(u64::try_from(lines).unwrap_or(u64::MAX));
        }
        lines
    }
}

async fn write(store: &Store, batch: Vec<(i64, Entry)>) -> Result<()> {
    let tx = store.begin().await?;
    for (at_ms, entry) in batch {
        record_in(&tx, at_ms, vec![entry]).await?;
    }
    Ok(tx.commit().await?)
}
