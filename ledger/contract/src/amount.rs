//! Money. Every amount is a whole number of Qirat; there is no fraction, no
//! float and no arithmetic that could wrap.

use std::fmt;

/// How many Qirat one GX is.
pub const QIRAT_PER_GX: u64 = 1_000_000;

/// Everything there is: 1,250,000,000,000 GX, created whole by Bootstrap. Fits
/// an `i64`, so balances and postings may carry a sign.
pub const MAXIMUM_SUPPLY: Qirat = Qirat(1_250_000_000_000 * QIRAT_PER_GX);

/// Basis points in the whole.
const BASIS_POINTS: u128 = 10_000;

/// An amount in Qirat, from 0 up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Qirat(pub u64);

impl Qirat {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many whole GX; every `u32` fits.
    #[must_use]
    pub const fn from_gx(gx: u32) -> Self {
        Self(gx as u64 * QIRAT_PER_GX)
    }

    /// The number of Qirat.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whether this is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum; `None` if it does not fit.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference; `None` if `other` is more.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    /// So many times this amount; `None` if it does not fit.
    #[must_use]
    pub const fn checked_mul(self, times: u64) -> Option<Self> {
        match self.0.checked_mul(times) {
            Some(product) => Some(Self(product)),
            None => None,
        }
    }

    /// So many ten-thousandths of this amount, floored; `None` if more than the
    /// whole is asked for and does not fit.
    #[must_use]
    pub fn checked_basis_points(self, basis_points: u32) -> Option<Self> {
        let part = u128::from(self.0) * u128::from(basis_points) / BASIS_POINTS;
        u64::try_from(part).ok().map(Self)
    }

    /// The amount with a sign, for postings; `None` above `i64::MAX`, which no
    /// amount up to [`MAXIMUM_SUPPLY`] is.
    #[must_use]
    pub fn to_signed(self) -> Option<i64> {
        i64::try_from(self.0).ok()
    }
}

impl fmt::Display for Qirat {
    /// Writes the number of Qirat.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl From<Qirat> for u64 {
    fn from(amount: Qirat) -> Self {
        amount.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn supply_fits_a_signed_balance() {
        assert_eq!(
            MAXIMUM_SUPPLY.to_signed(),
            Some(1_250_000_000_000_000_000_i64)
        );
    }

    #[test]
    fn basis_points_are_floored() {
        assert_eq!(Qirat(9_999).checked_basis_points(1), Some(Qirat(0)));
        assert_eq!(Qirat(10_000).checked_basis_points(1), Some(Qirat(1)));
        assert_eq!(
            Qirat(u64::MAX).checked_basis_points(10_000),
            Some(Qirat(u64::MAX))
        );
        assert_eq!(Qirat(u64::MAX).checked_basis_points(10_001), None);
    }

    #[test]
    fn arithmetic_never_wraps() {
        assert_eq!(Qirat(u64::MAX).checked_add(Qirat(1)), None);
        assert_eq!(Qirat(0).checked_sub(Qirat(1)), None);
        assert_eq!(Qirat(u64::MAX).checked_mul(2), None);
    }
}
