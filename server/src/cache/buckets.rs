//! Buckets of calls that all processes fill together: the generic cell rate algorithm,
//! as one script that Redis runs by its own clock.

use std::{sync::LazyLock, time::Duration};

use redis::Script;

use super::Redis;

/// A bucket holds `burst` calls and refills by `per_s` a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Calls a second, at least 1.
    pub per_s: u32,
    /// Calls at once, at least 1.
    pub burst: u32,
}

/// What taking from a bucket came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The call is within the limit.
    Yes,
    /// The bucket is empty; the next call can be taken after so long, and none before.
    After(Duration),
}

/// Keeps for a key the moment at which its bucket is full again, in microseconds, and
/// forgets it at that moment. Answers how long to wait; 0 takes the call.
pub(super) static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local time = redis.call('TIME')
         local now = time[1] * 1000000 + time[2]
         local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
         local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
         local wait = full - now - interval * (burst - 1)
         if wait > 0 then return math.ceil(wait) end
         full = full + interval
         redis.call('SET', KEYS[1], string.format('%.0f', full),
             'PX', math.max(1, math.ceil((full - now) / 1000)))
         return 0",
    )
});

impl Redis {
    /// Takes one call from a bucket; `None` if Redis is away.
    pub async fn take(&self, kind: &str, key: &str, quota: Quota) -> Option<Taken> {
        let interval_us = 1_000_000.0 / f64::from(quota.per_s.max(1));
        let mut take = TAKE.prepare_invoke();
        take.key(self.name(&format!("{kind}:{key}")))
            .arg(interval_us)
            .arg(quota.burst.max(1));
        let wait_us: u64 = self
            .ask(|mut to| async move { take.invoke_async(&mut to).await })
            .await?;
        Some(match wait_us {
            0 => Taken::Yes,
            wait => Taken::After(Duration::from_micros(wait)),
        })
    }
}
