//! Load: callers that call again as soon as they are answered (a closed loop), and what
//! came of it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use tokio::task::JoinSet;
use tonic::Status;
use tonic_types::StatusExt as _;

/// Somebody who calls.
pub(super) trait Caller: Send + 'static {
    /// Calls once; how many commands were taken, or why the call came to nothing.
    fn call(&mut self) -> impl Future<Output = Result<u64, Failure>> + Send;
}

/// Why a call came to nothing, in a word.
#[derive(Debug, thiserror::Error)]
#[error("a call came to nothing: {0}")]
pub(super) struct Failure(pub(super) String);

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let reason = details.error_info().map(|info| info.reason.clone());
        Self(reason.unwrap_or_else(|| format!("{:?}", status.code())))
    }
}

/// What callers did.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// Commands that were taken.
    pub(super) taken: u64,
    /// How long all of it took.
    pub(super) elapsed: Duration,
    /// How long each answered call took, in order.
    pub(super) times: Vec<Duration>,
    /// Calls that were refused or failed, by reason.
    pub(super) failed: BTreeMap<String, u64>,
}

impl Load {
    /// Runs callers for a time.
    ///
    /// # Errors
    /// If no call is answered.
    pub(super) async fn closed<C: Caller>(callers: Vec<C>, time: Duration) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let mut tasks = JoinSet::new();
        for caller in callers {
            tasks.spawn(call_until(caller, begun + time));
        }
        let mut load = Self::default();
        while let Some(one) = tasks.join_next().await {
            load.add(one.context("a caller broke")?);
        }
        load.elapsed = begun.elapsed();
        load.times.sort_unstable();
        ensure!(load.taken > 0, "nothing was taken: {:?}", load.failed);
        Ok(load)
    }

    fn add(&mut self, other: Self) {
        self.taken += other.taken;
        self.times.extend(other.times);
        for (reason, count) in other.failed {
            *self.failed.entry(reason).or_default() += count;
        }
    }

    /// Commands a second.
    pub(super) fn rate(&self) -> f64 {
        self.taken as f64 / self.elapsed.as_secs_f64()
    }

    /// The time that so much of all answered calls took at most; `part` is from 0 to 1.
    pub(super) fn percentile(&self, part: f64) -> Duration {
        percentile(&self.times, part)
    }

    /// The mean time of a call.
    pub(super) fn mean(&self) -> Duration {
        let sum: Duration = self.times.iter().sum();
        sum / u32::try_from(self.times.len().max(1)).unwrap_or(u32::MAX)
    }
}

async fn call_until(mut caller: impl Caller, end: Instant) -> Load {
    let mut load = Load::default();
    loop {
        let begun = Instant::now();
        if begun >= end {
            return load;
        }
        match caller.call().await {
            Ok(taken) => {
                load.taken += taken;
                load.times.push(begun.elapsed());
            }
            Err(Failure(reason)) => *load.failed.entry(reason).or_default() += 1,
        }
    }
}

/// The value below which so much of sorted values is; zero if there is none.
pub(super) fn percentile(sorted: &[Duration], part: f64) -> Duration {
    let index = (sorted.len().saturating_sub(1)) as f64 * part;
    sorted.get(index as usize).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counts(u64);

    impl Caller for Counts {
        async fn call(&mut self) -> Result<u64, Failure> {
            tokio::task::yield_now().await;
            self.0 += 1;
            match self.0 % 3 {
                0 => Err(Failure("away".to_owned())),
                _ => Ok(self.0 % 3),
            }
        }
    }

    #[tokio::test]
    async fn every_call_is_counted_as_what_it_came_to() {
        let callers = vec![Counts(0), Counts(0)];
        let load = Load::closed(callers, Duration::from_millis(5)).await;
        let load = load.unwrap();
        let (ones_and_twos, failed) = (load.times.len() as u64, load.failed["away"]);
        assert!(ones_and_twos.abs_diff(2 * failed) <= 4);
        assert!(load.taken.abs_diff(3 * failed) <= 6);
        assert!(load.times.is_sorted());
    }

    #[tokio::test]
    async fn nothing_taken_is_an_error_that_tells_why() {
        let load = Load::closed(vec![Counts(2)], Duration::ZERO).await;
        assert!(load.unwrap_err().to_string().contains("nothing was taken"));
    }

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let sorted: Vec<_> = (1..=100).map(Duration::from_millis).collect();
        for (part, millis) in [(0.0, 1), (0.5, 50), (0.99, 99), (1.0, 100)] {
            assert_eq!(percentile(&sorted, part), Duration::from_millis(millis));
        }
        assert_eq!(percentile(&[], 0.5), Duration::ZERO);
    }
}
