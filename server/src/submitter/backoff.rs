//! Exponential backoff with jitter.

use std::time::Duration;

use crate::id;

/// The first wait.
const FIRST_MS: u64 = 100;
/// The longest wait.
const LONGEST_MS: u64 = 30_000;

/// Counts failures in a row.
#[derive(Debug, Default, Clone)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Forgets the failures.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after one more failure: twice as long each time, between
    /// half of that and all of it.
    pub(super) fn next(&mut self) -> Duration {
        let bound = FIRST_MS
            .saturating_mul(1 << self.failures.min(20))
            .min(LONGEST_MS);
        self.failures = self.failures.saturating_add(1);
        Duration::from_millis(bound / 2 + id::jitter(bound / 2 + 1))
    }

    /// A short wait, for what is a race and no failure.
    pub(super) fn race() -> Duration {
        Duration::from_millis(2 + id::jitter(8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..30).map(|_| backoff.next()).collect();
        assert!(waits[0] <= Duration::from_millis(FIRST_MS));
        assert!(
            waits
                .iter()
                .all(|wait| *wait <= Duration::from_millis(LONGEST_MS))
        );
        assert!(waits[29] >= Duration::from_millis(LONGEST_MS / 2));
    }
}
