//! What was measured: two sides, round after round, and the ratio of their medians.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Serialize;

use super::{load::Load, machine::Spent};

/// One side of one round.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Side {
    /// Commands, rows or calls a second.
    pub rate: f64,
    /// The mean time of a call.
    pub mean: Duration,
    /// The median time of a call, where each was measured.
    pub median: Option<Duration>,
    /// The time of a call that one of a hundred exceeds.
    pub slowest_hundredth: Option<Duration>,
    /// Calls that were refused or failed, by reason.
    pub failed: BTreeMap<String, u64>,
    /// What it cost.
    pub spent: Spent,
}

/// Two sides measured in turn.
#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    /// What is measured of GX.
    pub measured: &'static str,
    /// What it is compared with.
    pub against: &'static str,
    /// What is compared.
    pub by: By,
    /// What the ratio is to be.
    pub aim: Aim,
    /// Each round: what is measured, and what it is compared with.
    pub rounds: Vec<(Side, Side)>,
    /// The ratio of the medians.
    pub ratio: f64,
}

/// Which number of a side is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum By {
    /// How many a second.
    Rate,
    /// How long one takes.
    MeanTime,
}

/// A bound of a ratio.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) enum Aim {
    /// At least so much.
    AtLeast(f64),
    /// At most so much.
    AtMost(f64),
    /// Whatever it is: it is told so that one knows it.
    Known,
}

impl Side {
    /// A side of which only rate and mean time are known.
    pub(super) fn new(rate: f64, mean: Duration) -> Self {
        Self {
            rate,
            mean,
            ..Self::default()
        }
    }

    /// What a load came to.
    pub(super) fn of(load: &Load) -> Self {
        Self {
            rate: load.rate(),
            mean: load.mean(),
            median: Some(load.percentile(0.5)),
            slowest_hundredth: Some(load.percentile(0.99)),
            failed: load.failed.clone(),
            spent: Spent::default(),
        }
    }

    fn number(&self, by: By) -> f64 {
        match by {
            By::Rate => self.rate,
            By::MeanTime => self.mean.as_secs_f64(),
        }
    }
}

impl Comparison {
    /// Compares rounds; there is at least one.
    pub(super) fn new(
        measured: &'static str,
        against: &'static str,
        by: By,
        aim: Aim,
        rounds: Vec<(Side, Side)>,
    ) -> Self {
        let number = |side: fn(&(Side, Side)) -> &Side| {
            median(rounds.iter().map(|round| side(round).number(by)).collect())
        };
        let ratio = number(|round| &round.0) / number(|round| &round.1);
        Self {
            measured,
            against,
            by,
            aim,
            rounds,
            ratio,
        }
    }

    /// Whether the ratio is as it is to be.
    pub(super) fn is_reached(&self) -> bool {
        match self.aim {
            Aim::AtLeast(bound) => self.ratio >= bound,
            Aim::AtMost(bound) => self.ratio <= bound,
            Aim::Known => true,
        }
    }
}

/// The middle of numbers; of an even count the upper of both.
fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(bound) => write!(f, "at least {bound}"),
            Self::AtMost(bound) => write!(f, "at most {bound}"),
            Self::Known => write!(f, "to know it"),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            measured,
            against,
            aim,
            ratio,
            ..
        } = self;
        writeln!(f, "{measured} : {against} = {ratio:.2}, aim {aim}")?;
        for (number, (own, other)) in self.rounds.iter().enumerate() {
            write!(f, "  round {}\n    {own}\n    {other}", number + 1)?;
            if number + 1 < self.rounds.len() {
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>8.0}/s  mean {}", self.rate, millis(self.mean))?;
        if let Some(median) = self.median {
            write!(f, "  median {}", millis(median))?;
        }
        if let Some(slowest) = self.slowest_hundredth {
            write!(f, "  p99 {}", millis(slowest))?;
        }
        write!(f, "  {}", self.spent)?;
        if !self.failed.is_empty() {
            write!(f, "  failed {:?}", self.failed)?;
        }
        Ok(())
    }
}

/// A time as people read it.
pub(super) fn millis(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(by: By, aim: Aim) -> Comparison {
        let side = |rate: f64| Side::new(rate, Duration::from_secs_f64(1.0 / rate));
        let rounds = [(10.0, 100.0), (50.0, 90.0), (60.0, 1.0)];
        let rounds = rounds.map(|(own, other)| (side(own), side(other)));
        Comparison::new("a", "b", by, aim, rounds.into())
    }

    #[test]
    fn the_ratio_is_that_of_the_medians() {
        let by_rate = compared(By::Rate, Aim::AtLeast(0.6));
        assert_eq!(by_rate.ratio, 50.0 / 90.0);
        assert!(!by_rate.is_reached());
        assert!(compared(By::Rate, Aim::AtLeast(0.5)).is_reached());
        let by_time = compared(By::MeanTime, Aim::AtMost(1.9));
        assert!((by_time.ratio - 90.0 / 50.0).abs() < 1e-6);
        assert!(by_time.is_reached());
    }
}
