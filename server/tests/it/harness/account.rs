//! Account ids that no account has.

use gx_contract::account::AccountId;

/// A well-formed account id, which nobody has.
pub(crate) fn unopened_account(number: u8) -> String {
    AccountId::from_bits([0xee, 0, 0, 0, 0, 0, 0, 0, 0, number]).to_string()
}
