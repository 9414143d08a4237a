//! What a measurement costs: the processors' time of the whole machine, and rows that
//! the database wrote.

use std::{fmt, time::Duration};

use anyhow::Context as _;
use serde::Serialize;

use crate::store::Store;

/// Jiffies a second, as `/proc/stat` counts on every Linux.
const JIFFIES_PER_S: f64 = 100.0;

/// How long connections may take to tell what they wrote.
const TOLD: Duration = Duration::from_millis(1_500);

/// What one command, row or call cost.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Spent {
    /// The processors' time of everything that ran, in microseconds.
    pub cpu_us: f64,
    /// Rows that the database wrote; `None` where nobody counts.
    pub rows: Option<f64>,
}

/// Counters at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    busy_s: f64,
    rows: Option<i64>,
}

impl Moment {
    /// The counters now.
    pub(super) async fn now(store: &Store) -> anyhow::Result<Self> {
        let busy_s = busy_s(&std::fs::read_to_string("/proc/stat")?)?;
        tokio::time::sleep(TOLD).await;
        Ok(Self {
            busy_s,
            rows: store.rows_written().await?,
        })
    }

    /// The counters now, where their rows are those of an earlier moment.
    pub(super) fn resumed(self) -> anyhow::Result<Self> {
        let busy_s = busy_s(&std::fs::read_to_string("/proc/stat")?)?;
        Ok(Self { busy_s, ..self })
    }

    /// What each of so many cost since.
    pub(super) fn until(self, now: Self, count: f64) -> Spent {
        let rows = self.rows.zip(now.rows);
        Spent {
            cpu_us: (now.busy_s - self.busy_s) * 1e6 / count,
            rows: rows.map(|(before, after)| (after - before) as f64 / count),
        }
    }
}

/// Seconds in which a processor did not idle: user, nice, system, interrupts.
fn busy_s(stat: &str) -> anyhow::Result<f64> {
    let line = stat.lines().next().context("/proc/stat is empty")?;
    let jiffies: Vec<f64> = line
        .split_whitespace()
        .skip(1)
        .map_while(|field| field.parse().ok())
        .collect();
    let busy = [0, 1, 2, 5, 6].map(|index: usize| jiffies.get(index).copied().unwrap_or(0.0));
    Ok(busy.iter().sum::<f64>() / JIFFIES_PER_S)
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CPU {:.0} µs", self.cpu_us)?;
        match self.rows {
            Some(rows) => write!(f, "  rows {rows:.2}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_idles_or_waits_is_not_busy() {
        let stat = "cpu  100 200 300 9999 8888 40 60 7 0 0\ncpu0 1 1 1 1\n";
        assert_eq!(busy_s(stat).unwrap(), 7.0);
        assert!(busy_s("").is_err());
    }
}
