//! How often one caller and one client address may call, over all processes where they
//! share a Redis, else in this one; and how much each may have at once in this process.
//! A bucket refills steadily; memory holds only keys that called lately, and where too
//! many did, they share slots.

mod bucket;
mod known;
mod shares;
mod ticks;

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

pub use shares::{Share, Shares};

use uuid::Uuid;

use self::{bucket::Bucket, ticks::Ticks};
use crate::{
    auth::UserId,
    cache::{Quota, Redis},
    config::Limits,
    error::Result,
};

/// The limits; cheap to clone.
#[derive(Debug, Clone)]
pub struct RateLimits {
    buckets: Arc<Buckets>,
}

#[derive(Debug)]
struct Buckets {
    callers: Bucket<Uuid>,
    addresses: Bucket<IpAddr>,
    public: Bucket<IpAddr>,
}

impl RateLimits {
    /// Limits as the settings say, over all processes that share `redis`.
    pub fn new(limits: &Limits, redis: Option<&Redis>) -> Self {
        Self::with_ticks(limits, redis, Ticks::monotonic())
    }

    /// Limits for tests, whose buckets never refill.
    #[cfg(test)]
    pub(crate) fn standing(limits: &Limits) -> Self {
        Self::with_ticks(limits, None, Ticks::At(Arc::default()))
    }

    fn with_ticks(limits: &Limits, redis: Option<&Redis>, ticks: Ticks) -> Self {
        let quota = |per_s, burst| Quota { per_s, burst };
        let callers = quota(limits.caller_per_s, limits.caller_burst);
        let addresses = quota(limits.address_per_s, limits.address_burst);
        let public = quota(limits.public_per_s, limits.public_burst);
        Self {
            buckets: Arc::new(Buckets {
                callers: Bucket::new("caller", callers, redis, ticks.clone()),
                addresses: Bucket::new("address", addresses, redis, ticks.clone()),
                public: Bucket::new("public", public, redis, ticks),
            }),
        }
    }

    /// Counts a call of somebody signed in.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub async fn caller(&self, user: UserId) -> Result<()> {
        self.buckets.callers.take(user.0).await
    }

    /// Counts a call from an address.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub async fn address(&self, address: IpAddr) -> Result<()> {
        self.buckets.addresses.take(household(address)).await
    }

    /// Counts a call that costs a code or a password verification.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub async fn public(&self, address: IpAddr) -> Result<()> {
        self.buckets.public.take(household(address)).await
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

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU64, Ordering},
        time::Duration,
    };

    use gx_proto::gx::common::v1::Reason;

    use super::*;
    use crate::{config::Config, error::Error};

    fn limits(per_s: u32, burst: u32) -> (RateLimits, Arc<AtomicU64>) {
        let mut limits = Config::default().limits;
        limits.public_per_s = per_s;
        limits.public_burst = burst;
        let nanos = Arc::new(AtomicU64::new(0));
        (
            RateLimits::with_ticks(&limits, None, Ticks::At(nanos.clone())),
            nanos,
        )
    }

    async fn allowed(limits: &RateLimits, address: &str, tries: usize) -> usize {
        let address = address.parse().unwrap();
        let mut allowed = 0;
        for _ in 0..tries {
            allowed += usize::from(limits.public(address).await.is_ok());
        }
        allowed
    }

    #[tokio::test]
    async fn a_bucket_holds_its_burst_and_refills_by_its_rate() {
        let (limits, nanos) = limits(5, 20);
        assert_eq!(allowed(&limits, "192.0.2.1", 100).await, 20);
        nanos.fetch_add(1_000_000_000, Ordering::SeqCst);
        assert_eq!(allowed(&limits, "192.0.2.1", 100).await, 5);
        assert_eq!(allowed(&limits, "192.0.2.2", 100).await, 20);
    }

    #[tokio::test]
    async fn a_refusal_tells_limit_and_wait() {
        let (limits, _) = limits(5, 5);
        allowed(&limits, "192.0.2.1", 5).await;
        let Err(Error::Rejected(told)) = limits.public("192.0.2.1".parse().unwrap()).await else {
            panic!("not refused");
        };
        assert_eq!(told.reason, Reason::RateLimited);
        assert_eq!(told.metadata, [("limit", "5/s".to_owned())]);
        assert_eq!(told.retry_after, Some(Duration::from_millis(200)));
    }

    #[tokio::test]
    async fn a_network_of_ipv6_is_one_client() {
        let (limits, _) = limits(1, 3);
        assert_eq!(allowed(&limits, "2001:db8::1", 2).await, 2);
        assert_eq!(allowed(&limits, "2001:db8::ffff:2", 2).await, 1);
        assert_eq!(allowed(&limits, "2001:db8:0:1::1", 2).await, 2);
        assert_eq!(
            household("::ffff:192.0.2.1".parse().unwrap()),
            "192.0.2.1".parse::<IpAddr>().unwrap()
        );
    }
}
