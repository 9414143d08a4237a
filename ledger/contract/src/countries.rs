//! The countries that a new chain is loaded with, and each one's share of the
//! genesis phases, by population.

mod table;

pub use table::ALL;

use crate::shares;

/// What all shares sum to: they are parts per billion.
pub const SHARES_TOTAL: u32 = 1_000_000_000;

/// A country of ISO 3166-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    /// Its alpha-2 code.
    pub code: &'static str,
    /// Its name in English.
    pub name: &'static str,
    /// How many people live there; 0 where nobody does for good.
    pub population: u64,
}

/// Every country's share in parts per billion, in order of the codes: by
/// population, largest remainder, ties by code. They sum to exactly
/// [`SHARES_TOTAL`]; a country without inhabitants has share 0.
#[must_use]
pub fn shares() -> Vec<(&'static str, u32)> {
    let weights: Vec<_> = ALL
        .iter()
        .map(|country| (country.code, country.population))
        .collect();
    let parts = shares::divide(u64::from(SHARES_TOTAL), &weights);
    // A part is at most SHARES_TOTAL, so it fits.
    let codes = ALL.iter().map(|country| country.code);
    codes
        .zip(parts.into_iter().map(|part| part as u32))
        .collect()
}

/// The country with this alpha-2 code.
#[must_use]
pub fn find(code: &str) -> Option<&'static Country> {
    let place = ALL.binary_search_by_key(&code, |country| country.code);
    place.ok().map(|place| &ALL[place])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::is_country_code;

    #[test]
    fn there_are_249_countries_in_order() {
        assert_eq!(ALL.len(), 249);
        assert!(ALL.is_sorted_by(|a, b| a.code < b.code));
        assert!(ALL.iter().all(|country| is_country_code(country.code)));
        assert!(ALL.iter().all(|country| !country.name.is_empty()));
    }

    #[test]
    fn shares_sum_to_a_billion() {
        let shares = shares();
        let sum: u64 = shares.iter().map(|(_, share)| u64::from(*share)).sum();
        assert_eq!(sum, u64::from(SHARES_TOTAL));
        for (country, (code, share)) in ALL.iter().zip(&shares) {
            assert_eq!(country.code, *code);
            assert!(country.population > 0 || *share == 0, "{code}");
        }
    }

    #[test]
    fn the_largest_share_is_the_largest_country() {
        let largest = shares().into_iter().max_by_key(|(_, share)| *share);
        assert_eq!(largest.map(|(code, _)| code), Some("CN"));
        assert_eq!(find("TV").map(|country| country.name), Some("Tuvalu"));
        assert_eq!(find("XX"), None);
    }

    #[test]
    fn uninhabited_countries_have_no_share() {
        for code in ["AQ", "BV", "GS", "HM", "IO", "TF", "UM"] {
            assert!(shares().contains(&(code, 0)), "{code}");
        }
    }
}
