//! Waiting for the chain: statuses and streams of blocks. Woken by commits; nothing
//! is asked again by the clock.

use std::sync::Arc;

use futures::stream::{self, Stream};
use tokio::sync::watch;

use super::{
    core::{Core, Progress, shut_down},
    lock::lock,
};
use crate::{CommitStatus, LedgerError, proto::common};

impl Core {
    /// Waits until a transaction stands in a block.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] once the core is closed and it does not.
    pub async fn committed(&self, tx_id: &str) -> Result<CommitStatus, LedgerError> {
        lock(&self.faults).status()?;
        let mut progress = self.watch();
        loop {
            let closed = progress.borrow_and_update().closed;
            if let Some(status) = self.status(tx_id) {
                return Ok(status);
            }
            next(&mut progress, closed).await?;
        }
    }

    /// Streams all blocks from a number on, also those to come; ends after one error,
    /// at the latest when the core is closed and every block is out.
    pub fn deliver(
        self: Arc<Self>,
        from: u64,
    ) -> impl Stream<Item = Result<common::Block, LedgerError>> + Send + 'static {
        let progress = self.watch();
        stream::unfold(Some((self, progress, from)), |state| async {
            let (core, mut progress, number) = state?;
            match core.next_block(&mut progress, number).await {
                Ok(block) => Some((Ok(block), Some((core, progress, number + 1)))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    async fn next_block(
        &self,
        progress: &mut watch::Receiver<Progress>,
        number: u64,
    ) -> Result<common::Block, LedgerError> {
        loop {
            let Progress { height, closed } = *progress.borrow_and_update();
            // A block is read once it is committed, not when it is merely written.
            if number < height
                && let Some(block) = self.block(number)?
            {
                return Ok(block);
            }
            next(progress, closed).await?;
        }
    }
}

async fn next(progress: &mut watch::Receiver<Progress>, closed: bool) -> Result<(), LedgerError> {
    if closed {
        return Err(shut_down());
    }
    progress.changed().await.map_err(|_| shut_down())
}
