//! Refresh tokens: a session's id, 256 bits that nobody can guess, and a tag that only
//! this system can make, so that a forged one is told without a look at the database,
//! and every other one was given out once. A session keeps a keyed hash of the one that
//! may be exchanged and nothing of those before it: they are told by their tag.
//!
//! The token that follows another is derived from it, from the request_id of the
//! exchange and from the system's key. So the same exchange made again leads to the same
//! token, which stands nowhere, and another exchange of the same token to another one.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::{id::random_bytes, secrets::Secrets};

/// Bytes of the tag.
const TAG: usize = 16;
/// Bytes of a token: the session, the secret, the tag.
const BYTES: usize = 16 + 32 + TAG;

/// A refresh token.
#[derive(Debug)]
pub struct RefreshToken {
    session: Uuid,
    secret: SecretBox<[u8; 32]>,
}

impl RefreshToken {
    /// The first one of a session.
    pub fn first(session: Uuid) -> Self {
        let secret = SecretBox::new(Box::new(random_bytes()));
        Self { session, secret }
    }

    /// The one that an exchange of this one leads to.
    #[must_use]
    pub fn next(&self, secrets: &Secrets, request_id: Uuid) -> Self {
        let secret = self.mac(secrets, "next refresh token", request_id.as_bytes());
        Self {
            session: self.session,
            secret: SecretBox::new(Box::new(secret)),
        }
    }

    /// Reads what a client sent; `None` unless this system wrote it.
    pub fn read(secrets: &Secrets, text: &SecretString) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.expose_secret()).ok()?;
        let bytes: [u8; BYTES] = bytes.try_into().ok()?;
        let (session, rest) = bytes.split_first_chunk::<16>()?;
        let (secret, tag) = rest.split_first_chunk::<32>()?;
        let token = Self {
            session: Uuid::from_bytes(*session),
            secret: SecretBox::new(Box::new(*secret)),
        };
        bool::from(token.tag(secrets).ct_eq(tag)).then_some(token)
    }

    /// The text that a client keeps.
    pub fn write(&self, secrets: &Secrets) -> String {
        let secret = self.secret.expose_secret();
        let parts = [self.session.as_bytes(), &secret[..], &self.tag(secrets)];
        BASE64_URL_SAFE_NO_PAD.encode(parts.concat())
    }

    /// What stands for it in the database.
    pub fn hash(&self, secrets: &Secrets) -> [u8; 32] {
        self.mac(secrets, "refresh token", &[])
    }

    /// Whether a hash is this one's, in a time that does not tell where they differ.
    pub fn is(&self, secrets: &Secrets, hash: Option<&[u8]>) -> bool {
        hash.is_some_and(|hash| self.hash(secrets).ct_eq(hash).into())
    }

    /// The session that it belongs to.
    pub fn session(&self) -> Uuid {
        self.session
    }

    fn tag(&self, secrets: &Secrets) -> [u8; TAG] {
        let mac = self.mac(secrets, "tag of a refresh token", &[]);
        let mut tag = [0; TAG];
        tag.copy_from_slice(&mac[..TAG]);
        tag
    }

    fn mac(&self, secrets: &Secrets, purpose: &str, part: &[u8]) -> [u8; 32] {
        let (session, secret) = (self.session.as_bytes(), self.secret.expose_secret());
        secrets
            .registration
            .mac(purpose, &[&session[..], &secret[..], part])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    fn secrets() -> Secrets {
        Secrets::load_or_create(&tempfile::tempdir().unwrap().path().join("keys")).unwrap()
    }

    #[test]
    fn a_token_is_read_as_it_was_written() {
        let secrets = secrets();
        let token = RefreshToken::first(ONE);
        let text = token.write(&secrets);
        assert!(text.len() <= 100, "{text}");
        let read = RefreshToken::read(&secrets, &text.into()).unwrap();
        assert_eq!(read.session(), ONE);
        assert_eq!(read.hash(&secrets), token.hash(&secrets));
        assert!(read.is(&secrets, Some(&token.hash(&secrets))));
        assert!(!read.is(&secrets, None) && !read.is(&secrets, Some(&[])));
    }

    #[test]
    fn what_this_system_did_not_write_is_none() {
        let secrets = secrets();
        let text = RefreshToken::first(ONE).write(&secrets);
        for place in 0..text.len() {
            let mut altered = text.clone().into_bytes();
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert!(
                RefreshToken::read(&secrets, &altered.into()).is_none(),
                "{place}"
            );
        }
        for text in [String::new(), text[1..].to_owned(), format!("{text}AAAA")] {
            assert!(RefreshToken::read(&secrets, &text.into()).is_none());
        }
        assert!(RefreshToken::read(&self::secrets(), &text.into()).is_none());
    }

    #[test]
    fn an_exchange_made_again_leads_to_the_same_token_and_no_other_does() {
        let secrets = secrets();
        let token = RefreshToken::first(ONE);
        let next = token.next(&secrets, ONE);
        assert_eq!(next.session(), ONE);
        assert_eq!(
            next.hash(&secrets),
            token.next(&secrets, ONE).hash(&secrets)
        );
        let others = [
            token.hash(&secrets),
            token.next(&secrets, OTHER).hash(&secrets),
            next.next(&secrets, ONE).hash(&secrets),
            RefreshToken::first(ONE).next(&secrets, ONE).hash(&secrets),
            token.next(&self::secrets(), ONE).hash(&secrets),
        ];
        assert!(!others.contains(&next.hash(&secrets)));
    }

    #[test]
    fn a_token_is_never_shown() {
        let shown = format!("{:?}", RefreshToken::first(ONE));
        assert!(shown.contains("REDACTED"), "{shown}");
    }
}
