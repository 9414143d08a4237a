//! Amounts of coins. One GX is 1,000,000 Qirat, and the interface counts in Qirat; a
//! plain number says neither, so here only these types do, and every conversion from
//! or to GX is named.

use std::fmt;

/// Qirat of one GX.
const PER_GX: u64 = 1_000_000;

/// Digits behind the point of an amount in GX.
const DECIMALS: usize = 6;

/// An amount of coins, in Qirat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Qirat(u64);

/// A change of a balance, in Qirat; negative is a debit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QiratDelta(i64);

/// Why a text is no amount in GX.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AmountError {
    /// It is not digits with at most one point between them.
    #[error("an amount in GX is digits, with a point at most, such as 12.5")]
    NotDecimal,
    /// It has more than six digits behind the point: Qirat are whole.
    #[error("an amount in GX has at most six digits behind the point")]
    TooFine,
    /// It is more than can be counted.
    #[error("an amount in GX is at most 18446744073709.551615")]
    TooLarge,
}

impl Qirat {
    /// No coins.
    pub const ZERO: Self = Self(0);
    /// All coins that there are: 1,250,000,000,000 GX.
    pub const MAXIMUM: Self = Self(1_250_000_000_000 * PER_GX);

    /// So many Qirat.
    pub const fn new(qirat: u64) -> Self {
        Self(qirat)
    }

    /// The amount that a person writes in GX, such as `12.5`.
    ///
    /// # Errors
    /// If the text is no decimal number, finer than a Qirat, or too large.
    pub fn from_gx(gx: &str) -> Result<Self, AmountError> {
        let (whole, fraction) = gx.split_once('.').unwrap_or((gx, "0"));
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) {
            return Err(AmountError::NotDecimal);
        }
        if fraction.len() > DECIMALS {
            return Err(AmountError::TooFine);
        }
        let count = |text: &str| text.parse::<u64>().ok();
        let qirat = count(whole)
            .and_then(|whole| whole.checked_mul(PER_GX))
            .zip(count(&format!("{fraction:0<DECIMALS$}")))
            .and_then(|(whole, fraction)| whole.checked_add(fraction));
        qirat.map(Self).ok_or(AmountError::TooLarge)
    }

    /// How many Qirat, as messages carry them.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The amount in GX without needless digits, such as `12.5`.
    pub fn to_gx(self) -> String {
        let (whole, fraction) = (self.0 / PER_GX, self.0 % PER_GX);
        match fraction {
            0 => whole.to_string(),
            _ => format!("{whole}.{fraction:0DECIMALS$}")
                .trim_end_matches('0')
                .to_owned(),
        }
    }

    /// The sum, unless it is too large to be counted.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, unless `other` is more.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl QiratDelta {
    /// A change by so many Qirat.
    pub const fn new(qirat: i64) -> Self {
        Self(qirat)
    }

    /// How many Qirat, as messages carry them.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Whether coins left.
    pub const fn is_debit(self) -> bool {
        self.0 < 0
    }

    /// How much came or left.
    pub const fn magnitude(self) -> Qirat {
        Qirat(self.0.unsigned_abs())
    }

    /// The change in GX without needless digits, such as `-12.5`.
    pub fn to_gx(self) -> String {
        let sign = if self.is_debit() { "-" } else { "" };
        format!("{sign}{}", self.magnitude().to_gx())
    }
}

impl fmt::Display for Qirat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} Qirat", self.0)
    }
}

impl fmt::Display for QiratDelta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} Qirat", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_in_gx_are_read_to_the_qirat() {
        for (gx, qirat) in [
            ("0", 0),
            ("1", 1_000_000),
            ("12.5", 12_500_000),
            ("0.000001", 1),
            ("007.10", 7_100_000),
            ("18446744073709.551615", u64::MAX),
        ] {
            assert_eq!(Qirat::from_gx(gx), Ok(Qirat::new(qirat)), "{gx}");
        }
        assert_eq!(Qirat::from_gx("1250000000000"), Ok(Qirat::MAXIMUM));
    }

    #[test]
    fn what_is_no_amount_in_gx_is_refused() {
        use AmountError::{NotDecimal, TooFine, TooLarge};
        for (gx, error) in [
            ("", NotDecimal),
            (".5", NotDecimal),
            ("5.", NotDecimal),
            ("-1", NotDecimal),
            ("+1", NotDecimal),
            ("1,5", NotDecimal),
            ("1e3", NotDecimal),
            (" 1", NotDecimal),
            ("1.5.0", NotDecimal),
            ("٣", NotDecimal),
            ("0.0000001", TooFine),
            ("18446744073709.551616", TooLarge),
            ("99999999999999999999", TooLarge),
        ] {
            assert_eq!(Qirat::from_gx(gx), Err(error), "{gx}");
        }
    }

    #[test]
    fn amounts_are_written_as_they_are_read() {
        for gx in ["0", "1", "12.5", "0.000001", "18446744073709.551615"] {
            assert_eq!(Qirat::from_gx(gx).unwrap().to_gx(), gx);
        }
        assert_eq!(QiratDelta::new(-12_500_000).to_gx(), "-12.5");
        assert_eq!(QiratDelta::new(i64::MIN).to_gx(), "-9223372036854.775808");
        assert_eq!(Qirat::new(5).to_string(), "5 Qirat");
    }
}
