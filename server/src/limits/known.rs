//! Refusals of the shared buckets that still hold: a bucket only fills, so a key that
//! must wait until a moment is refused before it whoever asks. A flood is so turned
//! away without asking Redis.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::nanos::Nanos;

/// Most refusals that are remembered; who is not remembered is asked for again.
const MOST: usize = 65_536;

#[derive(Debug)]
pub(super) struct Known<K> {
    until: Mutex<HashMap<K, Nanos>>,
}

impl<K> Default for Known<K> {
    fn default() -> Self {
        let until = Mutex::default();
        Self { until }
    }
}

impl<K: Hash + Eq> Known<K> {
    /// How long a key still has to wait, if a refusal of it is known.
    pub(super) fn wait(&self, key: &K, now: Nanos) -> Option<Duration> {
        let mut known = self.lock();
        let until = *known.get(key)?;
        if until <= now {
            known.remove(key);
            return None;
        }
        Some(until.saturating_sub(now).into())
    }

    /// Remembers that a key has to wait.
    pub(super) fn refused(&self, key: K, until: Nanos, now: Nanos) {
        let mut known = self.lock();
        if known.len() >= MOST {
            known.retain(|_, until| *until > now);
        }
        if known.len() < MOST {
            known.insert(key, until);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Nanos>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Nanos {
        Duration::from_millis(ms).into()
    }

    #[test]
    fn a_refusal_holds_until_its_end() {
        let known = Known::default();
        known.refused("ann", at(300), at(100));
        assert_eq!(
            known.wait(&"ann", at(100)),
            Some(Duration::from_millis(200))
        );
        assert_eq!(known.wait(&"bee", at(100)), None);
        assert_eq!(known.wait(&"ann", at(300)), None);
        assert!(known.lock().is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let known = Known::default();
        for key in 0..MOST + 10 {
            known.refused(key, at(300), at(100));
        }
        assert_eq!(known.lock().len(), MOST);
        known.refused(MOST + 10, at(500), at(300));
        assert_eq!(known.lock().len(), 1);
    }
}
