//! Where the supply is: in a pool, in treasuries, or with everybody else.

use gx_contract::account::{POOLS, is_treasury};

/// The bucket of all treasuries.
pub const TREASURIES: &str = "TREASURIES";
/// The bucket of every account that is neither pool nor treasury.
pub const CIRCULATING: &str = "CIRCULATING";

/// The bucket that an account's coins are counted in: a pool's own name,
/// [`TREASURIES`] or [`CIRCULATING`].
pub fn bucket_of(account: &str) -> &'static str {
    match POOLS.iter().find(|pool| pool.name == account) {
        Some(pool) => pool.name,
        None if is_treasury(account) => TREASURIES,
        None => CIRCULATING,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_has_one_bucket() {
        assert_eq!(bucket_of("SYSTEM_GX_POOL"), "SYSTEM_GX_POOL");
        assert_eq!(bucket_of("TREASURY_DE"), TREASURIES);
        assert_eq!(bucket_of("GX-0000-0000-0000-00000"), CIRCULATING);
    }
}
