//! Fields of requests: bounds as the interface states them.

use gx_contract::amount::{MAXIMUM_SUPPLY, Qirat};

/// The most characters of a reference.
const REFERENCE_CHARACTERS_MAX: usize = 140;

/// An amount that there can be.
pub(super) fn parse_amount(qirat: u64) -> Result<Qirat, &'static str> {
    match Qirat(qirat) {
        Qirat::ZERO => Err("must be greater than 0"),
        amount if amount > MAXIMUM_SUPPLY => Err("must be at most 1250000000000000000"),
        amount => Ok(amount),
    }
}

/// What is held for amount and greatest fee. An amount that is too great itself is
/// told under its own field.
pub(super) fn parse_hold(amount: u64, max_fee: u64) -> Result<i64, &'static str> {
    let amount = Qirat(amount).min(MAXIMUM_SUPPLY);
    amount
        .checked_add(Qirat(max_fee))
        .filter(|hold| *hold <= MAXIMUM_SUPPLY)
        .and_then(Qirat::to_signed)
        .ok_or("must be at most 1250000000000000000 together with amount_qirat")
}

/// A text for people, on one line.
pub(super) fn parse_reference(text: String) -> Result<String, &'static str> {
    if text.chars().count() > REFERENCE_CHARACTERS_MAX {
        Err("must be at most 140 characters")
    } else if text.chars().any(char::is_control) {
        Err("must not contain control characters")
    } else {
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_short_and_printable() {
        assert!(parse_reference("ä".repeat(140)).is_ok());
        for text in [
            "ä".repeat(141),
            "two\nlines".to_owned(),
            "\u{7f}".to_owned(),
        ] {
            assert!(parse_reference(text).is_err());
        }
    }
}
