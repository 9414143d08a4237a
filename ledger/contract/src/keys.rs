//! The state's keys. Nothing else builds or takes apart a key, and no text that
//! a caller chose becomes part of one before it was checked.

use crate::lane::LaneName;

/// Number of partner lanes; stands once the chain is bootstrapped.
pub const LANES: &str = "sys/lanes";
/// Number of countries; stands once they are loaded.
pub const COUNTRIES: &str = "sys/countries";

const LANE_PREFIX: &str = "lane/";
const BALANCE_PREFIX: &str = "bal/";
const CREDIT_PREFIX: &str = "delta/";

/// The first byte after `/`: ends the range of all keys below a prefix.
const AFTER_SLASH: char = '0';

/// A lane's cursor.
#[must_use]
pub fn lane(msp_id: &str, lane: LaneName) -> String {
    format!("{LANE_PREFIX}{msp_id}/{lane}")
}

/// An account's type, country and status.
#[must_use]
pub fn account(id: &str) -> String {
    format!("acct/{id}")
}

/// An account's folded balance.
#[must_use]
pub fn balance(id: &str) -> String {
    format!("{BALANCE_PREFIX}{id}")
}

/// What one batch credited to one account.
#[must_use]
pub fn credit(account: &str, msp_id: &str, lane: LaneName, first_sequence: u64) -> String {
    format!("{CREDIT_PREFIX}{account}/{msp_id}/{lane}/{first_sequence:020}")
}

/// The account of a uniqueness commitment.
#[must_use]
pub fn commitment(hash: &[u8]) -> String {
    format!("commit/{}", hex::encode(hash))
}

/// A country's share and slots.
#[must_use]
pub fn country(code: &str) -> String {
    format!("country/{code}")
}

/// A parameter's value.
#[must_use]
pub fn parameter(key: &str) -> String {
    format!("param/{key}")
}

/// Whether an MSP's id may become part of a key: printable, without the
/// separator, so that two names never make one key.
#[must_use]
pub fn is_msp_id(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'/')
}

/// The range of all lanes' cursors.
pub(crate) fn lanes_range() -> (String, String) {
    below(LANE_PREFIX)
}

/// The range of folded balances after an account's; from the first if it is
/// empty.
pub(crate) fn balances_after(account: &str) -> (String, String) {
    let (first, end) = below(BALANCE_PREFIX);
    let start = if account.is_empty() {
        first
    } else {
        next(&balance(account))
    };
    (start, end)
}

/// The range of one account's credits.
pub(crate) fn credits_range(account: &str) -> (String, String) {
    below(&format!("{CREDIT_PREFIX}{account}/"))
}

/// The least key after this one.
pub(crate) fn next(key: &str) -> String {
    format!("{key}\0")
}

/// The MSP and lane of a cursor's key.
pub(crate) fn lane_of(key: &str) -> Option<(&str, LaneName)> {
    let (msp_id, lane) = key.strip_prefix(LANE_PREFIX)?.split_once('/')?;
    Some((msp_id, lane.parse().ok()?))
}

/// The account of a folded balance's key.
pub(crate) fn account_of_balance(key: &str) -> Option<&str> {
    key.strip_prefix(BALANCE_PREFIX)
}

/// The range of everything below a prefix that ends in `/`.
fn below(prefix: &str) -> (String, String) {
    let mut end = prefix.trim_end_matches('/').to_owned();
    end.push(AFTER_SLASH);
    (prefix.to_owned(), end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lane::{LaneDomain, SYSTEM_LANE};

    #[test]
    fn keys_are_those_of_the_ledger() {
        let partner = LaneName::new(LaneDomain::Partner, 3);
        assert_eq!(lane("OrgMSP", partner), "lane/OrgMSP/partner/3");
        assert_eq!(
            credit("TREASURY_DE", "OrgMSP", SYSTEM_LANE, 17),
            "delta/TREASURY_DE/OrgMSP/sys/0/00000000000000000017"
        );
        assert_eq!(commitment(&[0xAB, 0x01]), "commit/ab01");
        assert_eq!(lane_of("lane/OrgMSP/partner/3"), Some(("OrgMSP", partner)));
    }

    #[test]
    fn ranges_hold_what_is_below_and_nothing_else() {
        let (start, end) = credits_range("TREASURY_DE");
        let inside = credit("TREASURY_DE", "OrgMSP", SYSTEM_LANE, u64::MAX);
        assert!(start <= inside && inside < end);
        for outside in [
            "delta/TREASURY_DE",
            "delta/TREASURY_DE0",
            "delta/TREASURY_DF/",
        ] {
            assert!(*outside < *start || *outside >= *end, "{outside}");
        }
        let (start, end) = balances_after("GX");
        assert!(start > balance("GX") && balance("GX-") > start && balance("z") < end);
    }
}
