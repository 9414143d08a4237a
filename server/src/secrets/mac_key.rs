//! A key that turns secrets and personal data into something comparable.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::files::Key;

/// A key of HMAC-SHA-256.
pub struct MacKey(Key);

impl MacKey {
    pub(super) fn new(key: Key) -> Self {
        Self(key)
    }

    /// The code over all parts in order, for one purpose. Each part goes with its
    /// length, so parts cannot be confused.
    pub fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("a key");
        for part in [&[purpose.as_bytes()], parts].concat() {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for MacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MacKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_purposes_are_kept_apart() {
        let key = MacKey::new([7; 32].into());
        let all = [
            key.mac("a", &[b"bc"]),
            key.mac("ab", &[b"c"]),
            key.mac("a", &[b"b", b"c"]),
            key.mac("a", &[b"bc", b""]),
            MacKey::new([8; 32].into()).mac("a", &[b"bc"]),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[index + 1..].contains(one), "{index}");
        }
    }
}
