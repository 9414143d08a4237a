//! The name of any account, as a client writes it.

use std::fmt;

use gx_contract::account::{self, AccountId, AccountIdError};

/// A person's or organization's account id in its canonical form, or the name of
/// a pool or of a treasury.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccountName(String);

impl AccountName {
    /// Reads a name; whether such an account exists is another question.
    ///
    /// # Errors
    /// What is wrong with it, in words for its writer.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if account::is_system(text) || account::is_treasury(text) {
            return Ok(Self(text.to_owned()));
        }
        parse_account_id(text).map(Self::from)
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

/// Reads the id of a person's or organization's account.
///
/// # Errors
/// What is wrong with it, in words for its writer.
pub fn parse_account_id(text: &str) -> Result<AccountId, &'static str> {
    AccountId::parse(text).map_err(|error| match error {
        AccountIdError::Form => "must have the form GX-XXXX-XXXX-XXXX-XXXXC",
        AccountIdError::Check => {
            "has a check symbol that does not match: a symbol is wrong or two are swapped"
        }
    })
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
