//! Contacts: where a person is reached, and the name to sign in with.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use super::person::misleads;
use crate::secrets::Secrets;

/// Most characters of a contact.
const LENGTH_MAX: usize = 254;

/// A contact in the one form that is stored and compared: NFC, trimmed, lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Contact(String);

impl Contact {
    /// An e-mail address. Only a code that comes back proves that it exists, so
    /// this looks for slips of the pen alone.
    pub(super) fn email(text: &str) -> Result<Self, Cow<'static, str>> {
        let contact = Self::known(text)?;
        let plain = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
        match contact.0.split_once('@') {
            Some((local, domain)) if plain(local) && plain(domain) && !domain.contains('@') => {
                Ok(contact)
            }
            _ => Err("must be an e-mail address".into()),
        }
    }

    /// Whatever somebody signs in with.
    pub(super) fn known(text: &str) -> Result<Self, Cow<'static, str>> {
        let contact = text.trim().nfc().collect::<String>().to_lowercase();
        // Lower case may leave letters that are one composed.
        let contact: String = contact.nfc().collect();
        match contact.chars().count() {
            0 => Err("is required".into()),
            _ if contact.contains(misleads) => Err("must not contain control characters".into()),
            1..=LENGTH_MAX => Ok(Self(contact)),
            _ => Err(format!("must have at most {LENGTH_MAX} characters").into()),
        }
    }

    /// The contact of a row, which is in this form already.
    pub(super) fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands for the contact where the contact itself should not stand.
    pub(super) fn hash(&self, secrets: &Secrets) -> [u8; 32] {
        secrets.registration.mac("contact", &[self.0.as_bytes()])
    }

    /// Whether a text is this contact in any spelling.
    pub(super) fn is(&self, text: &str) -> bool {
        Self::known(text).is_ok_and(|other| other == *self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_become_one() {
        let contact = Contact::email("person@example.org").unwrap();
        for text in [" Person@Example.org ", "PERSON@EXAMPLE.ORG"] {
            assert_eq!(Contact::email(text), Ok(contact.clone()));
            assert!(contact.is(text));
        }
        let composed = Contact::email("pr\u{e9}nom@example.org");
        assert_eq!(Contact::email("PRE\u{301}NOM@example.org"), composed);
        let caron = Contact::email("J\u{30c}@example.org").unwrap();
        assert_eq!(Contact::email("\u{1f0}@example.org"), Ok(caron.clone()));
        assert!(caron.is(caron.as_str()));
        assert!(!contact.is("other@example.org") && !contact.is(""));
    }

    #[test]
    fn slips_of_the_pen_are_found() {
        let long = format!("{}@example.org", "a".repeat(243));
        for text in [
            "",
            " ",
            "root",
            "@",
            "a@",
            "@b",
            "a@b@c",
            "a b@c",
            "a@b c",
            "a\u{0}@b",
            "a\u{202e}@b",
            &long,
        ] {
            assert!(Contact::email(text).is_err(), "{text}");
        }
        assert!(Contact::email(&long[1..]).is_ok());
        assert!(Contact::known("root").is_ok() && Contact::known("a\u{0}").is_err());
    }
}
