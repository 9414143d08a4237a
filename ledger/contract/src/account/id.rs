//! Account ids: 80 random bits and a check symbol, written in Crockford's
//! base32. They reveal nothing about their holder.

use std::fmt;
use std::str::FromStr;

use super::check;

/// Crockford's symbols in order of their values.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Symbols that carry the 80 bits.
const DATA_SYMBOLS: usize = 16;
/// Symbols of each group of the displayed form; the last has the check symbol
/// as well.
const GROUP: usize = 4;
const PREFIX: &str = "GX";

/// An account's id in its canonical form, `GX-XXXX-XXXX-XXXX-XXXXC`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(String);

/// Why a text is no account id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccountIdError {
    /// It is not of the form `GX-XXXX-XXXX-XXXX-XXXXC`.
    #[error("an account id has the form GX-XXXX-XXXX-XXXX-XXXXC")]
    Form,
    /// Its check symbol is not the one that belongs to the others.
    #[error("the check symbol does not match: a symbol is wrong or two are swapped")]
    Check,
}

impl AccountId {
    /// The id with these 80 bits.
    #[must_use]
    pub fn from_bits(bits: [u8; 10]) -> Self {
        let mut values = [0; DATA_SYMBOLS];
        let (high, low) = values.split_at_mut(DATA_SYMBOLS / 2);
        spread(&bits[..5], high);
        spread(&bits[5..], low);
        Self(display(&values))
    }

    /// Reads an id as a person may write it: lower case counts as upper, `O` as
    /// `0`, `I` and `L` as `1`. The result is canonical.
    ///
    /// # Errors
    /// [`AccountIdError`] if the form or the check symbol is wrong.
    pub fn parse(text: &str) -> Result<Self, AccountIdError> {
        let values = values(text).ok_or(AccountIdError::Form)?;
        let (data, last) = values.split_at(DATA_SYMBOLS);
        if last != [check::symbol(data)] {
            return Err(AccountIdError::Check);
        }
        Ok(Self(display(data)))
    }

    /// Whether the text is an id in its canonical form; the contract takes no
    /// other, so one account has one key.
    #[must_use]
    pub fn is_canonical(text: &str) -> bool {
        Self::parse(text).is_ok_and(|id| id.0 == text)
    }

    /// The canonical form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl FromStr for AccountId {
    type Err = AccountIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// Spreads five bytes over eight symbols' values.
fn spread(bytes: &[u8], values: &mut [u8]) {
    let mut word = bytes
        .iter()
        .fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
    for value in values.iter_mut().rev() {
        *value = (word & 31) as u8;
        word >>= 5;
    }
}

/// The displayed form of sixteen values, check symbol included.
fn display(values: &[u8]) -> String {
    let mut text = String::from(PREFIX);
    for group in values.chunks(GROUP) {
        text.push('-');
        text.extend(group.iter().map(|value| symbol_of(*value)));
    }
    text.push(symbol_of(check::symbol(values)));
    text
}

/// The values of all seventeen symbols; `None` if the form is wrong.
fn values(text: &str) -> Option<Vec<u8>> {
    let mut groups = text.split('-');
    if !groups.next()?.eq_ignore_ascii_case(PREFIX) {
        return None;
    }
    let mut values = Vec::with_capacity(DATA_SYMBOLS + 1);
    for length in [GROUP, GROUP, GROUP, GROUP + 1] {
        let group = groups.next()?;
        if group.len() != length {
            return None;
        }
        for byte in group.bytes() {
            values.push(value_of(byte)?);
        }
    }
    groups.next().is_none().then_some(values)
}

fn symbol_of(value: u8) -> char {
    char::from(SYMBOLS[usize::from(value & 31)])
}

fn value_of(symbol: u8) -> Option<u8> {
    let plain = match symbol.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    };
    let place = SYMBOLS.iter().position(|known| *known == plain)?;
    u8::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bits_are_shown_in_order() {
        let id = AccountId::from_bits([0x00, 0x44, 0x32, 0x14, 0xC7, 0x42, 0x54, 0xB6, 0x35, 0xCF]);
        assert!(id.as_str().starts_with("GX-0123-4567-89AB-CDEF"));
        assert_eq!(
            AccountId::from_bits([0; 10]).as_str(),
            "GX-0000-0000-0000-00000"
        );
    }

    #[test]
    fn what_people_write_becomes_canonical() {
        let id = AccountId::from_bits([0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
        let written = id
            .as_str()
            .to_lowercase()
            .replace('0', "o")
            .replace('1', "l");
        assert_eq!(AccountId::parse(&written), Ok(id.clone()));
        assert!(!AccountId::is_canonical(&written));
        assert!(AccountId::is_canonical(id.as_str()));
    }

    #[test]
    fn wrong_forms_are_refused() {
        for text in [
            "",
            "GX",
            "GX-0000-0000-0000-0000",
            "GX-0000-0000-0000-000000",
            "GX-0000-0000-0000-00000-",
            "GX 0000 0000 0000 00000",
            "XG-0000-0000-0000-00000",
            "GX-0000-0000-0000-0000U",
            "GX-00000-000-0000-00000",
            "GX-0000-0000-0000-000é0",
        ] {
            assert_eq!(AccountId::parse(text), Err(AccountIdError::Form), "{text}");
        }
    }

    /// Every symbol of an id, replaced by every other symbol.
    fn assert_single_errors_show(id: &AccountId) {
        for place in (3..23).filter(|place| place % 5 != 2 || *place == 22) {
            for symbol in SYMBOLS {
                let mut bytes = id.as_str().as_bytes().to_vec();
                if bytes[place] != *symbol {
                    bytes[place] = *symbol;
                    let text = String::from_utf8(bytes).expect("symbols are ASCII");
                    assert_eq!(
                        AccountId::parse(&text),
                        Err(AccountIdError::Check),
                        "{text}"
                    );
                }
            }
        }
    }

    /// Every swap of neighbouring symbols, across the hyphens too.
    fn assert_swaps_show(id: &AccountId) {
        let places: Vec<usize> = (3..23)
            .filter(|place| place % 5 != 2 || *place == 22)
            .collect();
        assert_eq!(places.len(), 17);
        for pair in places.windows(2) {
            let mut bytes = id.as_str().as_bytes().to_vec();
            bytes.swap(pair[0], pair[1]);
            let text = String::from_utf8(bytes).expect("symbols are ASCII");
            assert_eq!(
                AccountId::parse(&text).is_ok(),
                text == id.as_str(),
                "{text}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn ids_survive_parsing(bits: [u8; 10]) {
            let id = AccountId::from_bits(bits);
            prop_assert_eq!(AccountId::parse(id.as_str()), Ok(id.clone()));
            prop_assert!(AccountId::is_canonical(id.as_str()));
        }

        #[test]
        fn neighbours_swapped_show(bits: [u8; 10]) {
            assert_swaps_show(&AccountId::from_bits(bits));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn single_errors_show(bits: [u8; 10]) {
            assert_single_errors_show(&AccountId::from_bits(bits));
        }
    }
}
