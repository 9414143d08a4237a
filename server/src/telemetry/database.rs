//! Whether the database answers, as readiness shows it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Readiness, State};
use crate::store::Store;

/// How often the database is asked, and how long it may take to answer.
const EVERY: Duration = Duration::from_secs(2);

/// Asks the database until shutdown. While it does not answer the process takes no
/// calls.
pub async fn watch_database(store: Store, readiness: Readiness, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        let state = match tokio::time::timeout(EVERY, store.read().ping()).await {
            Ok(Ok(())) => State::Ready,
            Ok(Err(_)) | Err(_) => State::NotReady("it does not answer".to_owned()),
        };
        readiness.set("database", state);
        shutdown
            .run_until_cancelled(tokio::time::sleep(EVERY))
            .await;
    }
}
