//! Tells which block all partitions have applied, so that answers are kept by it.

use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{
    cache::{Answers, Wake},
    checkpoint,
    store::Store,
};

/// How often it is told on a quiet chain: what was told holds a few times as long.
const AGAIN: Duration = Duration::from_secs(1);

/// Tells until shutdown, whenever the read model moves and now and then without.
pub async fn tell_shown(store: Store, wake: Wake, answers: Answers, shutdown: CancellationToken) {
    let mut projected = wake.projected();
    while !shutdown.is_cancelled() {
        projected.mark_unchanged();
        match checkpoint::lowest_block(store.read()).await {
            Ok(Some((number, hash))) => answers.shown(number, &hash).await,
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, "the latest block cannot be told"),
        }
        let moved = timeout(AGAIN, projected.changed());
        shutdown.run_until_cancelled(moved).await;
    }
}
