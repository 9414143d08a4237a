//! The key that signs access tokens.

use anyhow::{Context, Result, anyhow};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::id::random_bytes;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
/// What stands before the 32 bytes of an Ed25519 key in PKCS#8 (RFC 8410).
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// An Ed25519 key pair.
pub struct TokenKey {
    pair: Ed25519KeyPair,
    kid: String,
}

impl TokenKey {
    /// Reads PKCS#8 in PEM.
    pub(super) fn from_pem(pem: &str) -> Result<Self> {
        let body = pem
            .trim()
            .strip_prefix(BEGIN)
            .and_then(|rest| rest.strip_suffix(END))
            .context("a token key must be PEM with PRIVATE KEY")?;
        let body: Zeroizing<String> = body.split_whitespace().collect::<String>().into();
        let der = Zeroizing::new(BASE64_STANDARD.decode(body.as_bytes())?);
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der)
            .map_err(|error| anyhow!("a token key must be Ed25519 in PKCS#8: {error}"))?;
        let kid = thumbprint(pair.public_key().as_ref());
        Ok(Self { pair, kid })
    }

    /// A new key as PKCS#8 in PEM.
    pub(super) fn new_pem() -> Zeroizing<String> {
        let seed = Zeroizing::new(random_bytes::<32>());
        let der = Zeroizing::new([PKCS8_PREFIX.as_slice(), seed.as_slice()].concat());
        let body = Zeroizing::new(BASE64_STANDARD.encode(&der));
        Zeroizing::new(format!("{BEGIN}\n{}\n{END}\n", *body))
    }

    /// The key's id: its thumbprint as of RFC 7638.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key, 32 bytes in base64url.
    pub fn public(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.pair.public_key())
    }

    /// The signature over a message.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }

    /// Whether this key made the signature over the message.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.pair.public_key())
            .verify(message, signature)
            .is_ok()
    }
}

fn thumbprint(public: &[u8]) -> String {
    let x = BASE64_URL_SAFE_NO_PAD.encode(public);
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(members))
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenKey({})", self.kid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 8037, appendix A, with its thumbprint.
    #[test]
    fn thumbprint_is_that_of_the_standard() {
        let public = BASE64_URL_SAFE_NO_PAD
            .decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
            .unwrap();
        assert_eq!(
            thumbprint(&public),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }

    #[test]
    fn a_signature_stands_for_its_message_alone() {
        let key = TokenKey::from_pem(&TokenKey::new_pem()).unwrap();
        let other = TokenKey::from_pem(&TokenKey::new_pem()).unwrap();
        let signature = key.sign(b"message");
        assert!(key.verifies(b"message", &signature));
        assert!(!key.verifies(b"another", &signature));
        assert!(!other.verifies(b"message", &signature));
    }

    #[test]
    fn other_files_are_no_keys() {
        let wrong = [
            String::new(),
            "text".to_owned(),
            format!("{BEGIN}AAAA{END}"),
        ];
        assert!(wrong.iter().all(|pem| TokenKey::from_pem(pem).is_err()));
    }
}
