//! A bucket of calls a key: shared by all processes while Redis answers, else this
//! process's own.

use std::{
    hash::{BuildHasher, Hash, RandomState},
    num::NonZeroU32,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use governor::{
    RateLimiter, clock::Clock, middleware::NoOpMiddleware, nanos::Nanos,
    state::keyed::DefaultKeyedStateStore,
};
use gx_proto::gx::common::v1::Reason;
use metrics::counter;

use super::{known::Known, ticks::Ticks};
use crate::{
    cache::{Quota, Redis, Taken},
    error::{Error, Result},
    telemetry::metrics::{RATE_CHECKS, RATE_LIMITED},
};

/// Keys from which on all share slots by their hashes, until some are forgotten.
const MOST: usize = 262_144;
/// Checks between two times of forgetting keys whose buckets are full again.
const FORGET_EVERY: u64 = 4_096;

type Limiter<K> = RateLimiter<K, DefaultKeyedStateStore<K>, Ticks, NoOpMiddleware<Nanos>>;

#[derive(Debug)]
pub(super) struct Bucket<K: Hash + Eq + Clone> {
    kind: &'static str,
    quota: Quota,
    ticks: Ticks,
    shared: Option<Redis>,
    known: Known<K>,
    own: Limiter<K>,
    /// Where keys are counted by hash while too many are remembered.
    slots: Limiter<u16>,
    hashed: RandomState,
    crowded: AtomicBool,
    taken: AtomicU64,
}

impl<K: Hash + Eq + Clone + ToString> Bucket<K> {
    pub(super) fn new(
        kind: &'static str,
        quota: Quota,
        shared: Option<&Redis>,
        ticks: Ticks,
    ) -> Self {
        let positive = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let own =
            governor::Quota::per_second(positive(quota.per_s)).allow_burst(positive(quota.burst));
        Self {
            kind,
            quota,
            shared: shared.cloned(),
            known: Known::default(),
            own: RateLimiter::new(own, DefaultKeyedStateStore::default(), ticks.clone()),
            slots: RateLimiter::new(own, DefaultKeyedStateStore::default(), ticks.clone()),
            hashed: RandomState::new(),
            crowded: AtomicBool::new(false),
            ticks,
            taken: AtomicU64::new(1),
        }
    }

    /// Takes one call.
    pub(super) async fn take(&self, key: K) -> Result<()> {
        let taken = match self.take_shared(&key).await {
            Some(taken) => taken,
            None => self.take_own(&key),
        };
        match taken {
            Taken::Yes => Ok(()),
            Taken::After(wait) => Err(self.refusal(wait)),
        }
    }

    async fn take_shared(&self, key: &K) -> Option<Taken> {
        let redis = self.shared.as_ref()?;
        if let Some(wait) = self.known.wait(key, self.ticks.now()) {
            counter!(RATE_CHECKS, "path" => "known").increment(1);
            return Some(Taken::After(wait));
        }
        let taken = redis.take(self.kind, &key.to_string(), self.quota).await?;
        counter!(RATE_CHECKS, "path" => "redis").increment(1);
        if let Taken::After(wait) = taken {
            let now = self.ticks.now();
            self.known.refused(key.clone(), now + wait, now);
        }
        Some(taken)
    }

    fn take_own(&self, key: &K) -> Taken {
        counter!(RATE_CHECKS, "path" => "process").increment(1);
        let taken = self.taken.fetch_add(1, Ordering::Relaxed);
        if taken.is_multiple_of(FORGET_EVERY) {
            self.own.retain_recent();
            self.slots.retain_recent();
            let crowded = self.own.len() >= MOST;
            self.crowded.store(crowded, Ordering::Relaxed);
        }
        let checked = match self.crowded.load(Ordering::Relaxed) {
            false => self.own.check_key(key),
            true => self.slots.check_key(&self.slot(key)),
        };
        match checked {
            Ok(()) => Taken::Yes,
            Err(refused) => Taken::After(refused.wait_time_from(self.ticks.now())),
        }
    }

    /// The slot of a key, which nobody outside can foresee.
    fn slot(&self, key: &K) -> u16 {
        let [high, low, ..] = self.hashed.hash_one(key).to_be_bytes();
        u16::from_be_bytes([high, low])
    }

    fn refusal(&self, wait: Duration) -> Error {
        counter!(RATE_LIMITED, "kind" => self.kind).increment(1);
        Error::rejected(Reason::RateLimited, "too many calls")
            .with("limit", format!("{}/s", self.quota.per_s))
            .retry_after(wait)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn keys_that_stopped_calling_are_forgotten() {
        let nanos = Arc::new(AtomicU64::new(0));
        let quota = Quota { per_s: 1, burst: 1 };
        let bucket = Bucket::new("test", quota, None, Ticks::At(nanos.clone()));
        for key in 0..FORGET_EVERY - 1 {
            bucket.take(key).await.unwrap();
        }
        assert_eq!(bucket.own.len(), 4_095);
        nanos.fetch_add(2_000_000_000, Ordering::SeqCst);
        bucket.take(FORGET_EVERY).await.unwrap();
        assert_eq!(bucket.own.len(), 1);
    }

    /// 100,000 strangers a second, each once; somebody who calls twice a second.
    #[tokio::test]
    async fn a_flood_of_a_million_keys_turns_nobody_away_who_keeps_the_pace() {
        let nanos = Arc::new(AtomicU64::new(0));
        let quota = Quota { per_s: 5, burst: 5 };
        let bucket = Bucket::new("test", quota, None, Ticks::At(nanos.clone()));
        let mut most = 0;
        for stranger in 1..=1_000_000_u64 {
            bucket.take(stranger).await.unwrap();
            nanos.fetch_add(10_000, Ordering::SeqCst);
            if stranger.is_multiple_of(50_000) {
                bucket.take(0).await.unwrap();
            }
            if stranger.is_multiple_of(1_000) {
                most = most.max(bucket.own.len());
            }
        }
        // A key is remembered for two fifths of a second, and until keys are forgotten.
        assert!(most <= 40_000 + 4_097, "{most}");
    }

    #[tokio::test]
    async fn memory_is_bounded_where_no_key_may_be_forgotten_and_excess_is_told_when_to_come() {
        let nanos = Arc::new(AtomicU64::new(0));
        let quota = Quota { per_s: 1, burst: 1 };
        let bucket = Bucket::new("test", quota, None, Ticks::At(nanos.clone()));
        let mut refused = 0;
        for stranger in 0..1_000_000_u64 {
            if let Err(error) = bucket.take(stranger).await {
                let Error::Rejected(told) = error else {
                    panic!("{error}")
                };
                assert_eq!(told.reason, Reason::RateLimited);
                assert!(told.retry_after.is_some_and(|wait| !wait.is_zero()));
                refused += 1;
            }
        }
        assert!(bucket.own.len() <= MOST + 4_096, "{}", bucket.own.len());
        assert!(bucket.slots.len() <= 65_536, "{}", bucket.slots.len());
        assert!(refused >= 1_000_000 - bucket.own.len() - 65_536);

        // When the flood is over everybody has a bucket again.
        nanos.fetch_add(2_000_000_000, Ordering::SeqCst);
        for key in 0..4_096_u64 {
            let _ = bucket.take(key).await;
        }
        assert!(bucket.own.len() <= 4_096, "{}", bucket.own.len());
        assert!(bucket.slots.len() <= 4_096, "{}", bucket.slots.len());
    }
}
