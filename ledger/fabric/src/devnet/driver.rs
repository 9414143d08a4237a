//! The orderer's timer: a task that cuts a block when one is full, or when the
//! first pending envelope has waited long enough.

use std::sync::Arc;

use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::core::Core;
use crate::LedgerError;

/// The running task. Dropping it asks it to end as [`Driver::shutdown`] does.
pub struct Driver {
    cancel: DropGuard,
    task: JoinHandle<Result<(), LedgerError>>,
}

impl Driver {
    /// Starts cutting the core's blocks; one driver a core.
    pub fn start(core: Arc<Core>) -> Self {
        let cancel = CancellationToken::new();
        let task = tokio::spawn(drive(core, cancel.clone()));
        Self {
            cancel: cancel.drop_guard(),
            task,
        }
    }

    /// Takes no more envelopes, commits those that are pending, and closes the core:
    /// whoever waits hears [`LedgerError::Unavailable`].
    ///
    /// # Errors
    /// If a block could not be made durable, now or earlier.
    pub async fn shutdown(self) -> Result<(), LedgerError> {
        self.cancel.disarm().cancel();
        self.task.await.map_err(LedgerError::internal)?
    }
}

async fn drive(core: Arc<Core>, cancel: CancellationToken) -> Result<(), LedgerError> {
    let result = run(&core, &cancel).await;
    if let Err(error) = &result {
        tracing::error!(%error, "the devnet cannot commit and is closed");
    }
    core.close();
    result
}

async fn run(core: &Arc<Core>, cancel: &CancellationToken) -> Result<(), LedgerError> {
    while !cancel.is_cancelled() {
        tokio::select! {
            () = block_is_due(core) => cut(core).await?,
            () = cancel.cancelled() => {}
        }
    }
    core.stop_taking();
    while core.pending() > 0 {
        cut(core).await?;
    }
    Ok(())
}

/// Returns when something is pending and either fills a block or has waited long
/// enough. Started anew after each block, as the orderer's timer is.
async fn block_is_due(core: &Core) {
    while core.pending() == 0 {
        core.submitted.notified().await;
    }
    let due = Instant::now() + core.options.limits.batch_timeout;
    while !core.is_full() {
        tokio::select! {
            () = tokio::time::sleep_until(due) => return,
            () = core.submitted.notified() => {}
        }
    }
}

async fn cut(core: &Arc<Core>) -> Result<(), LedgerError> {
    if !core.is_durable() {
        return core.cut_block().map(drop);
    }
    let core = core.clone();
    let task = tokio::task::spawn_blocking(move || core.cut_block());
    task.await.map_err(LedgerError::internal)?.map(drop)
}
