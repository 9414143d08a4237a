//! Wake-ups of workers and of whoever waits for the read model.

use std::sync::Arc;

use tokio::sync::{Notify, watch};

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hint {
    /// Commands wait for the submitter.
    Submitter,
    /// The read model moved.
    Moved,
}

impl Hint {
    pub(super) const ALL: [Self; 2] = [Self::Submitter, Self::Moved];

    /// Its name between processes.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Submitter => "submitter",
            Self::Moved => "moved",
        }
    }
}

/// Wake-ups; cheap to clone. Losing one costs the time until the next poll.
#[derive(Debug, Clone)]
pub struct Wake {
    submitter: Arc<Notify>,
    projected: watch::Sender<u64>,
    /// What other processes are still to be told, each hint once however often it came.
    outward: Arc<[Notify; 2]>,
}

impl Default for Wake {
    fn default() -> Self {
        Self {
            submitter: Arc::new(Notify::new()),
            projected: watch::Sender::new(0),
            outward: Arc::new([Notify::new(), Notify::new()]),
        }
    }
}

impl Wake {
    /// Tells the submitter that commands wait; many hints become one.
    pub fn submitter(&self) {
        self.tell(Hint::Submitter);
    }

    /// Waits for a hint to the submitter.
    pub async fn submitter_woken(&self) {
        self.submitter.notified().await;
    }

    /// Tells that the read model moved.
    pub fn moved(&self) {
        self.tell(Hint::Moved);
    }

    /// Sees every later move of the read model, many as one.
    pub fn projected(&self) -> watch::Receiver<u64> {
        self.projected.subscribe()
    }

    fn tell(&self, hint: Hint) {
        self.hear(hint);
        self.outward(hint).notify_one();
    }

    /// A hint of another process: it goes no further.
    pub(super) fn hear(&self, hint: Hint) {
        match hint {
            Hint::Submitter => self.submitter.notify_one(),
            Hint::Moved => self
                .projected
                .send_modify(|generation| *generation = generation.wrapping_add(1)),
        }
    }

    /// Told to other processes whenever it is notified.
    pub(super) fn outward(&self, hint: Hint) -> &Notify {
        &self.outward[hint as usize]
    }
}
