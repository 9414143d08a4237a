//! How often one caller and one client address may call, in this process, and how
//! much each may have at once. A bucket refills steadily; memory holds only keys that
//! called lately.

mod shares;

use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use governor::{
    Quota, RateLimiter, clock::Clock, middleware::NoOpMiddleware, nanos::Nanos,
    state::keyed::DefaultKeyedStateStore,
};
use gx_proto::gx::common::v1::Reason;
use metrics::counter;

use crate::{
    auth::UserId,
    config::Limits,
    error::{Error, Result},
    telemetry::metrics::RATE_LIMITED,
};

pub use shares::{Share, Shares};

/// Checks between two times of forgetting keys whose buckets are full again.
const FORGET_EVERY: u64 = 4_096;

/// The limits of this process; cheap to clone.
#[derive(Debug, Clone)]
pub struct RateLimits {
    buckets: Arc<Buckets>,
}

#[derive(Debug)]
struct Buckets {
    callers: Bucket<UserId>,
    addresses: Bucket<IpAddr>,
    public: Bucket<IpAddr>,
}

impl RateLimits {
    /// Limits as the settings say.
    pub fn new(limits: &Limits) -> Self {
        Self::with_ticks(limits, Ticks::monotonic())
    }

    /// Limits for tests, whose buckets never refill.
    #[cfg(test)]
    pub(crate) fn standing(limits: &Limits) -> Self {
        Self::with_ticks(limits, Ticks::At(Arc::default()))
    }

    fn with_ticks(limits: &Limits, ticks: Ticks) -> Self {
        let (per_s, burst) = (limits.public_per_s, limits.public_burst);
        let public = Bucket::new("public", per_s, burst, ticks.clone());
        let (per_s, burst) = (limits.address_per_s, limits.address_burst);
        let addresses = Bucket::new("address", per_s, burst, ticks.clone());
        let (per_s, burst) = (limits.caller_per_s, limits.caller_burst);
        let callers = Bucket::new("caller", per_s, burst, ticks);
        Self {
            buckets: Arc::new(Buckets {
                callers,
                addresses,
                public,
            }),
        }
    }

    /// Counts a call of somebody signed in.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub fn caller(&self, user: UserId) -> Result<()> {
        self.buckets.callers.take(user)
    }

    /// Counts a call from an address.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub fn address(&self, address: IpAddr) -> Result<()> {
        self.buckets.addresses.take(household(address))
    }

    /// Counts a call that costs a code or a password verification.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub fn public(&self, address: IpAddr) -> Result<()> {
        self.buckets.public.take(household(address))
    }
}

/// One client has a whole /64 of IPv6 addresses, so that counts as one.
pub fn household(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => address.into(),
            None => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        },
    }
}

type Limiter<K> = RateLimiter<K, DefaultKeyedStateStore<K>, Ticks, NoOpMiddleware<Nanos>>;

#[derive(Debug)]
struct Bucket<K: Hash + Eq + Clone> {
    kind: &'static str,
    per_s: u32,
    ticks: Ticks,
    limiter: Limiter<K>,
    taken: AtomicU64,
}

impl<K: Hash + Eq + Clone> Bucket<K> {
    fn new(kind: &'static str, per_s: u32, burst: u32, ticks: Ticks) -> Self {
        let positive = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(positive(per_s)).allow_burst(positive(burst));
        Self {
            kind,
            per_s,
            limiter: RateLimiter::new(quota, DefaultKeyedStateStore::default(), ticks.clone()),
            ticks,
            taken: AtomicU64::new(1),
        }
    }

    fn take(&self, key: K) -> Result<()> {
        if self
            .taken
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(FORGET_EVERY)
        {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(&key).map_err(|refused| {
            counter!(RATE_LIMITED, "kind" => self.kind).increment(1);
            Error::rejected(Reason::RateLimited, "too many calls")
                .with("limit", format!("{}/s", self.per_s))
                .retry_after(refused.wait_time_from(self.ticks.now()))
        })
    }
}

/// Time that never goes back; tests move it by hand.
#[derive(Debug, Clone)]
enum Ticks {
    Since(Instant),
    #[cfg(test)]
    At(Arc<AtomicU64>),
}

impl Ticks {
    fn monotonic() -> Self {
        Self::Since(Instant::now())
    }
}

impl Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        match self {
            Self::Since(start) => start.elapsed().into(),
            #[cfg(test)]
            Self::At(nanos) => nanos.load(Ordering::SeqCst).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Config;

    fn limits(per_s: u32, burst: u32) -> (RateLimits, Arc<AtomicU64>) {
        let mut limits = Config::default().limits;
        limits.public_per_s = per_s;
        limits.public_burst = burst;
        let nanos = Arc::new(AtomicU64::new(0));
        (
            RateLimits::with_ticks(&limits, Ticks::At(nanos.clone())),
            nanos,
        )
    }

    fn allowed(limits: &RateLimits, address: &str, tries: usize) -> usize {
        let address = address.parse().unwrap();
        (0..tries)
            .filter(|_| limits.public(address).is_ok())
            .count()
    }

    #[test]
    fn a_bucket_holds_its_burst_and_refills_by_its_rate() {
        let (limits, nanos) = limits(5, 20);
        assert_eq!(allowed(&limits, "192.0.2.1", 100), 20);
        nanos.fetch_add(1_000_000_000, Ordering::SeqCst);
        assert_eq!(allowed(&limits, "192.0.2.1", 100), 5);
        assert_eq!(allowed(&limits, "192.0.2.2", 100), 20);
    }

    #[test]
    fn a_refusal_tells_limit_and_wait() {
        let (limits, _) = limits(5, 5);
        allowed(&limits, "192.0.2.1", 5);
        let Err(Error::Rejected(told)) = limits.public("192.0.2.1".parse().unwrap()) else {
            panic!("not refused");
        };
        assert_eq!(told.reason, Reason::RateLimited);
        assert_eq!(told.metadata, [("limit", "5/s".to_owned())]);
        assert_eq!(told.retry_after, Some(Duration::from_millis(200)));
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let (limits, _) = limits(1, 3);
        assert_eq!(allowed(&limits, "2001:db8::1", 2), 2);
        assert_eq!(allowed(&limits, "2001:db8::ffff:2", 2), 1);
        assert_eq!(allowed(&limits, "2001:db8:0:1::1", 2), 2);
        assert_eq!(
            household("::ffff:192.0.2.1".parse().unwrap()),
            "192.0.2.1".parse::<IpAddr>().unwrap()
        );
    }

    #[test]
    fn keys_that_stopped_calling_are_forgotten() {
        let (limits, nanos) = limits(1, 1);
        for last in 0..FORGET_EVERY - 1 {
            let address = Ipv6Addr::from_bits(u128::from(last) << 64);
            limits.public(address.into()).unwrap();
        }
        assert_eq!(limits.buckets.public.limiter.len(), 4_095);
        nanos.fetch_add(2_000_000_000, Ordering::SeqCst);
        limits.public("192.0.2.1".parse().unwrap()).unwrap();
        assert_eq!(limits.buckets.public.limiter.len(), 1);
    }
}
