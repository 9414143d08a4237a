//! The two secrets of a registration: a token for whoever began it, and a code for
//! whoever reads the contact's messages. Both are stored as keyed hashes.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::{id::random_bytes, secrets::Secrets};

/// Digits of a code.
pub(super) const DIGITS: usize = 6;
const CODES: u32 = 10_u32.pow(DIGITS as u32);

/// What stands for a token in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TokenHash(pub(super) [u8; 32]);

/// A new token.
pub(super) fn new_token() -> SecretString {
    BASE64_URL_SAFE_NO_PAD.encode(random_bytes::<32>()).into()
}

/// A new code, each as likely as any other.
pub(super) fn new_code() -> SecretString {
    let fair = u32::MAX - u32::MAX % CODES;
    loop {
        let number = u32::from_be_bytes(random_bytes());
        if number < fair {
            return format!("{:0DIGITS$}", number % CODES).into();
        }
    }
}

/// The hash of a token.
pub(super) fn hash_token(secrets: &Secrets, token: &SecretString) -> TokenHash {
    let token = token.expose_secret().as_bytes();
    TokenHash(secrets.registration.mac("registration token", &[token]))
}

/// The hash of a code, worth nothing for another registration.
pub(super) fn hash_code(secrets: &Secrets, token: &TokenHash, code: &SecretString) -> [u8; 32] {
    let code = code.expose_secret().as_bytes();
    secrets.registration.mac("code", &[&token.0, code])
}

/// Whether two hashes are the same, in a time that does not tell where they differ.
pub(super) fn same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_six_digits_and_tokens_256_bits() {
        for _ in 0..100 {
            let code = new_code();
            let code = code.expose_secret();
            assert!(
                code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()),
                "{code}"
            );
        }
        assert_eq!(new_token().expose_secret().len(), 43);
        assert_ne!(new_token().expose_secret(), new_token().expose_secret());
    }

    #[test]
    fn hashes_compare_whole() {
        assert!(same(&[1; 32], &[1; 32]));
        assert!(!same(&[1; 32], &[1; 31]) && !same(&[1; 32], &[2; 32]));
    }
}
