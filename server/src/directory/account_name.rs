//! The name of any account, as a client writes it.

use std::fmt;

use gx_contract::account::{self, AccountId};

/// A person's or organization's account id in its canonical form, or the name of
/// a pool or of a treasury.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccountName(String);

impl AccountName {
    /// Reads a name; whether such an account exists is another question.
    ///
    /// # Errors
    /// What is wrong with it, in words for its writer.
    pub fn parse(text: &str) -> Result<Self, String> {
        if account::is_system(text) || account::is_treasury(text) {
            return Ok(Self(text.to_owned()));
        }
        match AccountId::parse(text) {
            Ok(id) => Ok(id.into()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<AccountId> for AccountName {
    fn from(id: AccountId) -> Self {
        Self(id.to_string())
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_canonical_and_public_names_stay() {
        let id = AccountId::from_bits([7; 10]);
        let written = id.as_str().to_lowercase();
        assert_eq!(AccountName::parse(&written), Ok(id.into()));
        for name in ["SYSTEM_LOAN_POOL", "TREASURY_DE"] {
            assert_eq!(AccountName::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn other_texts_name_no_account() {
        for text in ["", "SYSTEM_", "TREASURY_de", "GX-0000-0000-0000-00001"] {
            assert!(AccountName::parse(text).is_err(), "{text}");
        }
    }
}
