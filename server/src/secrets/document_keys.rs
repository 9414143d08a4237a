//! Encryption at rest of what proves a person's identity.

use anyhow::{Context, Result, anyhow};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};

use super::files::Key;
use crate::id::random_bytes;

/// Bytes of the nonce, which stands before the ciphertext.
const NONCE: usize = 24;

/// Keys of XChaCha20-Poly1305 by their numbers.
pub struct DocumentKeys(Vec<(i32, Key)>);

/// Something encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Number of the key.
    pub key_id: i32,
    /// Nonce and ciphertext.
    pub bytes: Vec<u8>,
}

impl DocumentKeys {
    /// Takes at least one key, the one in use first.
    pub(super) fn new(keys: Vec<(i32, Key)>) -> Self {
        Self(keys)
    }

    /// Encrypts with the newest key. It opens only with the same `belongs_to`, so
    /// rows cannot be swapped.
    ///
    /// # Panics
    /// If the plaintext is longer than 256 GiB.
    pub fn seal(&self, belongs_to: &[u8], plaintext: &[u8]) -> Sealed {
        let (key_id, key) = &self.0[0];
        let nonce = random_bytes::<NONCE>();
        let payload = Payload {
            msg: plaintext,
            aad: belongs_to,
        };
        #[expect(clippy::expect_used, reason = "messages are bounded far below")]
        let ciphertext = XChaCha20Poly1305::new(key.as_slice().try_into().expect("32 bytes"))
            .encrypt(&XNonce::from(nonce), payload)
            .expect("the plaintext is short");
        Sealed {
            key_id: *key_id,
            bytes: [&nonce[..], &ciphertext].concat(),
        }
    }

    /// Decrypts.
    ///
    /// # Errors
    /// If the key is not there, or the bytes or what they belong to were changed.
    pub fn open(&self, sealed: &Sealed, belongs_to: &[u8]) -> Result<Vec<u8>> {
        let number = sealed.key_id;
        let (_, key) = (self.0.iter().find(|(id, _)| *id == number))
            .with_context(|| format!("there is no document key {number}"))?;
        let (nonce, ciphertext) = sealed
            .bytes
            .split_first_chunk::<NONCE>()
            .context("the ciphertext is cut")?;
        let payload = Payload {
            msg: ciphertext,
            aad: belongs_to,
        };
        XChaCha20Poly1305::new(key.as_slice().try_into()?)
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| anyhow!("the ciphertext was changed or belongs elsewhere"))
    }
}

impl std::fmt::Debug for DocumentKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DocumentKeys")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_unchanged_and_where_it_belongs() {
        let keys = DocumentKeys::new(vec![(1, [7; 32].into())]);
        let sealed = keys.seal(b"here", b"content");
        assert_eq!(keys.open(&sealed, b"here").unwrap(), b"content");
        assert!(keys.open(&sealed, b"there").is_err());

        let mut changed = sealed.clone();
        changed.bytes[NONCE] ^= 1;
        assert!(keys.open(&changed, b"here").is_err());
        changed.bytes.truncate(NONCE - 1);
        assert!(keys.open(&changed, b"here").is_err());
        assert_ne!(sealed, keys.seal(b"here", b"content"), "nonces differ");
    }
}
