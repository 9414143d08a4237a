//! What a person declares: names, birth date, nationality, and a new password.

use std::borrow::Cow;

use gx_contract::countries;
use time::{Date, OffsetDateTime, macros::format_description};
use unicode_normalization::UnicodeNormalization;

use crate::auth::Password;

/// A complaint about a field.
type Complaint = Cow<'static, str>;

const NAME_MAX: usize = 100;
const YEARS_MAX: i32 = 130;
/// Characters of a new password.
const PASSWORD: std::ops::RangeInclusive<usize> = 12..=128;

/// The UTC day of a time.
pub(super) fn day(now_ms: i64) -> Date {
    OffsetDateTime::from_unix_timestamp(now_ms.div_euclid(1_000))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .date()
}

/// Full years from birth to a day; whoever was born on 29 February is a year older
/// on 1 March of other years.
pub(super) fn age(birth: Date, on: Date) -> i32 {
    let before_birthday = (on.month() as u8, on.day()) < (birth.month() as u8, birth.day());
    on.year() - birth.year() - i32::from(before_birthday)
}

/// A name of any script, composed and trimmed.
pub(super) fn name(text: &str) -> Result<String, Complaint> {
    let name = text.trim().nfc().collect::<String>();
    match name.chars().count() {
        0 => Err("is required".into()),
        1..=NAME_MAX if name.contains(misleads) => {
            Err("must not contain control characters".into())
        }
        1..=NAME_MAX => Ok(name),
        _ => Err(format!("must have at most {NAME_MAX} characters").into()),
    }
}

/// Characters that make a text look like another: controls, line breaks, and what
/// turns the direction of writing. Joiners are part of some scripts.
pub(super) fn misleads(c: char) -> bool {
    let directions = [
        '\u{200e}'..='\u{200f}',
        '\u{2028}'..='\u{202e}',
        '\u{2066}'..='\u{2069}',
    ];
    c.is_control() || directions.iter().any(|range| range.contains(&c))
}

/// A date of birth that somebody alive today may have.
pub(super) fn birth_date(text: &str, today: Date) -> Result<Date, Complaint> {
    let date = date(text).ok_or("must be a date, YYYY-MM-DD")?;
    if date > today {
        Err("must not be in the future".into())
    } else if age(date, today) > YEARS_MAX {
        Err(format!("must be at most {YEARS_MAX} years ago").into())
    } else {
        Ok(date)
    }
}

/// A date, `YYYY-MM-DD`.
pub(super) fn date(text: &str) -> Option<Date> {
    let parsed = Date::parse(text, format_description!("[year]-[month]-[day]"));
    parsed.ok().filter(|_| text.len() == "YYYY-MM-DD".len())
}

/// A country of ISO 3166-1 by its alpha-2 code.
pub(super) fn country(text: &str) -> Result<String, &'static str> {
    match countries::find(text) {
        Some(country) => Ok(country.code.to_owned()),
        None => Err("must be an ISO 3166-1 alpha-2 code"),
    }
}

/// A password to be set.
pub(super) fn new_password(text: &str) -> Result<Password, Complaint> {
    let password = Password::new(text);
    let (least, most) = PASSWORD.into_inner();
    if PASSWORD.contains(&password.expose().chars().count()) {
        Ok(password)
    } else {
        Err(format!("must have {least} to {most} characters").into())
    }
}

/// A password to be compared.
pub(super) fn password(text: &str) -> Result<Password, Complaint> {
    let password = Password::new(text);
    let most = *PASSWORD.end();
    match password.expose().chars().count() {
        0 => Err("is required".into()),
        length if length <= most => Ok(password),
        _ => Err(format!("must have at most {most} characters").into()),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date as day_of;

    use super::*;

    #[test]
    fn names_of_every_script_are_taken() {
        for text in ["Name", "Tên", "名前", "نام", "D'Un-Nom", "نام\u{200c}ها"] {
            assert_eq!(name(text).as_deref(), Ok(text));
        }
        assert_eq!(name(" Pre\u{301}nom ").as_deref(), Ok("Pr\u{e9}nom"));
        assert!(name(&"ñ".repeat(100)).is_ok());
    }

    #[test]
    fn names_that_mislead_are_not() {
        for text in [
            "",
            "  ",
            "a\nb",
            "a\u{0}",
            "a\u{202e}b",
            "\u{2066}a",
            &"n".repeat(101),
        ] {
            assert!(name(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn birth_dates_are_real_and_within_a_life() {
        let today = day_of!(2026 - 03 - 01);
        for text in ["2026-03-01", "2024-02-29", "1896-03-01", "1895-03-02"] {
            assert!(birth_date(text, today).is_ok(), "{text}");
        }
        for text in [
            "",
            "2026-03-02",
            "1895-03-01",
            "2025-02-29",
            "2025-13-01",
            "2025-1-01",
            "25-01-01",
            "+025-01-01",
            "2025-01-01Z",
            "2025/01/01",
            "0000-00-00",
        ] {
            assert!(birth_date(text, today).is_err(), "{text}");
        }
    }

    #[test]
    fn ages_change_on_the_birthday() {
        let birth = day_of!(2000 - 02 - 29);
        assert_eq!(age(birth, day_of!(2013 - 02 - 28)), 12);
        assert_eq!(age(birth, day_of!(2013 - 03 - 01)), 13);
        assert_eq!(age(birth, day_of!(2016 - 02 - 29)), 16);
        assert_eq!(day(0), day_of!(1970 - 01 - 01));
        assert_eq!(day(-1), day_of!(1969 - 12 - 31));
    }

    #[test]
    fn countries_are_those_of_the_standard() {
        assert_eq!(country("DE").as_deref(), Ok("DE"));
        for text in ["", "de", "DEU", "XX", "XK"] {
            assert!(country(text).is_err(), "{text}");
        }
    }

    #[test]
    fn passwords_are_counted_in_characters() {
        assert!(new_password(&"ñ".repeat(12)).is_ok());
        assert!(new_password(&"ñ".repeat(128)).is_ok());
        assert!(new_password(&"n".repeat(11)).is_err());
        assert!(new_password(&"n".repeat(129)).is_err());
        assert!(password("n").is_ok() && password("").is_err());
        assert!(password(&"n".repeat(129)).is_err());
    }
}
