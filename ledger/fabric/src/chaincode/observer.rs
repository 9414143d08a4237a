//! What whoever runs a chaincode server may want to count.

use std::time::Duration;

/// Is told what happens; must not block.
pub trait Observer: Send + Sync {
    /// A peer has opened a stream.
    fn stream_opened(&self) {}

    /// A stream has ended, and everything that ran on it.
    fn stream_closed(&self) {}

    /// A running transaction asks its peer something.
    fn round_trip(&self) {}

    /// A transaction has ended, so long after it came.
    fn transaction(&self, _outcome: Outcome, _elapsed: Duration) {}
}

impl Observer for () {}

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The contract ran and wrote, or answered.
    Completed,
    /// The contract or a check refused it.
    Refused,
    /// The ledger could not be read or written, or the contract broke.
    Failed,
    /// Its stream ended before it did.
    Abandoned,
}

impl Outcome {
    /// Its name, as of a label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        }
    }
}
