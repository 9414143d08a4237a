//! Which accounts there are: people's and organizations' under opaque ids,
//! pools and treasuries under their names.

mod check;
mod id;

pub use id::{AccountId, AccountIdError};

use crate::amount::{QIRAT_PER_GX, Qirat};

/// Pays the grants to people.
pub const USER_GENESIS_POOL: &str = "SYSTEM_USER_GENESIS_POOL";
/// Pays the treasury's share of each grant.
pub const GOVT_GENESIS_POOL: &str = "SYSTEM_GOVT_GENESIS_POOL";
/// Social benefit; receives redistribution.
pub const CHARITABLE_POOL: &str = "SYSTEM_CHARITABLE_POOL";
/// Interest-free loans.
pub const LOAN_POOL: &str = "SYSTEM_LOAN_POOL";
/// Protocol development.
pub const GX_POOL: &str = "SYSTEM_GX_POOL";
/// Operations; receives every fee.
pub const OPERATIONS_FUND: &str = "SYSTEM_OPERATIONS_FUND";

const SYSTEM_PREFIX: &str = "SYSTEM_";
const TREASURY_PREFIX: &str = "TREASURY_";

/// A system account and what Bootstrap puts into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// The account's id.
    pub name: &'static str,
    /// Its part of the supply.
    pub supply: Qirat,
}

/// The system accounts in order of their names; together they hold the whole
/// supply.
pub const POOLS: [Pool; 6] = [
    pool(CHARITABLE_POOL, 158_000_000_000),
    pool(GOVT_GENESIS_POOL, 152_000_000_000),
    pool(GX_POOL, 31_250_000_000),
    pool(LOAN_POOL, 312_500_000_000),
    pool(OPERATIONS_FUND, 18_750_000_000),
    pool(USER_GENESIS_POOL, 577_500_000_000),
];

const fn pool(name: &'static str, gx: u64) -> Pool {
    Pool {
        name,
        supply: Qirat(gx * QIRAT_PER_GX),
    }
}

/// Whether the id is a system account's.
#[must_use]
pub fn is_system(id: &str) -> bool {
    POOLS.iter().any(|pool| pool.name == id)
}

/// Whether the id has the form of a treasury's, `TREASURY_<ISO2>`.
#[must_use]
pub fn is_treasury(id: &str) -> bool {
    id.strip_prefix(TREASURY_PREFIX)
        .is_some_and(is_country_code)
}

/// The id of a country's treasury.
#[must_use]
pub fn treasury_of(country: &str) -> String {
    format!("{TREASURY_PREFIX}{country}")
}

/// Whether the text has the form of an alpha-2 code: two capital letters.
#[must_use]
pub fn is_country_code(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Whether the contract takes the text as an account id: a canonical
/// [`AccountId`], a system account's name or a treasury's. Nothing else ever
/// becomes part of a state key.
#[must_use]
pub fn is_well_formed(id: &str) -> bool {
    AccountId::is_canonical(id) || is_system(id) || is_treasury(id)
}

/// Whether the id is one of those that belong to the system's lane.
pub(crate) fn has_system_name(id: &str) -> bool {
    id.starts_with(SYSTEM_PREFIX) || id.starts_with(TREASURY_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::MAXIMUM_SUPPLY;

    #[test]
    fn pools_hold_the_whole_supply() {
        let sum = POOLS
            .iter()
            .try_fold(Qirat::ZERO, |sum, pool| sum.checked_add(pool.supply));
        assert_eq!(sum, Some(MAXIMUM_SUPPLY));
    }

    #[test]
    fn pools_stand_in_order_of_their_names() {
        assert!(POOLS.is_sorted_by_key(|pool| pool.name));
    }

    #[test]
    fn only_exact_names_are_well_formed() {
        for id in ["SYSTEM_GX_POOL", "TREASURY_DE", "GX-0000-0000-0000-00000"] {
            assert!(is_well_formed(id), "{id}");
        }
        for id in [
            "",
            "SYSTEM_",
            "SYSTEM_GX_POOL/",
            "TREASURY_de",
            "TREASURY_DEU",
            "gx-0000-0000-0000-00000",
        ] {
            assert!(!is_well_formed(id), "{id}");
        }
    }
}
