//! A snapshot that is held open, as a backup holds one: what the database could forget
//! piles up meanwhile, and must not be in the way of what waits.

use std::fmt;

use sea_orm::{ConnectionTrait as _, DatabaseTransaction};
use serde::Serialize;

use super::delays::Delays;
use crate::{config::Config, ops::open};

/// How much slower the last third of the time may be than the first.
const CLIMB: f64 = 1.5;

/// A part of the time.
#[derive(Debug, Serialize)]
pub(super) struct Slice {
    /// Rows that the database has written since the snapshot was taken.
    pub rows: i64,
    /// The delays.
    pub delays: Delays,
}

/// Takes a snapshot, which lasts as long as its transaction.
///
/// # Errors
/// If the database fails.
pub(super) async fn hold(config: &Config) -> anyhow::Result<DatabaseTransaction> {
    let snapshot = open::store(config).await?.snapshot().await?;
    // It is taken by the first statement.
    snapshot
        .execute_unprepared("SELECT count(*) FROM control")
        .await?;
    Ok(snapshot)
}

/// Whether delays or the queue grew with the rows.
pub(super) fn climb(slices: &[Slice]) -> bool {
    let delay = |slice: &Slice| slice.delays.to_projected.median.as_secs_f64();
    // A queue of less than what comes in a tenth of a second is none.
    let queue = |slice: &Slice| (slice.delays.waiting as f64).max(slice.delays.rate / 10.0);
    climbs(slices.iter().map(delay)) || climbs(slices.iter().map(queue))
}

fn climbs(values: impl Iterator<Item = f64>) -> bool {
    let values: Vec<_> = values.collect();
    let third = values.len() / 3;
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    third > 0 && mean(&values[values.len() - third..]) > CLIMB * mean(&values[..third])
}

impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Delays {
            to_projected,
            waiting,
            ..
        } = &self.delays;
        let rows = self.rows;
        write!(
            f,
            "{rows:>9} rows  waiting {waiting:>5}  call to projected {to_projected}"
        )
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_grows_is_seen_and_what_sways_is_not() {
        let climbs = |values: &[f64]| super::climbs(values.iter().copied());
        assert!(climbs(&[1.0, 1.0, 1.2, 1.4, 1.7, 1.9]));
        assert!(!climbs(&[1.0, 1.4, 1.2, 0.9, 1.4, 1.1]));
        assert!(!climbs(&[1.0, 9.0]));
        assert!(!climbs(&[]));
    }
}
