//! What processes tell each other to be quick, never to be right: wake-ups of
//! workers and of whoever waits for the read model.

use std::sync::Arc;

use tokio::sync::{Notify, watch};

/// Wake-ups; cheap to clone. Losing one costs the time until the next poll.
#[derive(Debug, Clone)]
pub struct Wake {
    submitter: Arc<Notify>,
    projected: watch::Sender<u64>,
}

impl Default for Wake {
    fn default() -> Self {
        Self {
            submitter: Arc::new(Notify::new()),
            projected: watch::Sender::new(0),
        }
    }
}

impl Wake {
    /// Tells the submitter that commands wait; many hints become one.
    pub fn submitter(&self) {
        self.submitter.notify_one();
    }

    /// Waits for a hint to the submitter.
    pub async fn submitter_woken(&self) {
        self.submitter.notified().await;
    }

    /// Tells that the read model moved.
    pub fn moved(&self) {
        self.projected
            .send_modify(|generation| *generation = generation.wrapping_add(1));
    }

    /// Sees every later move of the read model, many as one.
    pub fn projected(&self) -> watch::Receiver<u64> {
        self.projected.subscribe()
    }
}
