//! What strangers see of a name.

use unicode_normalization::UnicodeNormalization;

/// The first letter of each word and three stars, such as `A*** B***`: enough to
/// recognize somebody, too little to find out who somebody is. How long a word
/// is does not show.
pub fn mask(given_names: &str, family_names: &str) -> String {
    let words = given_names
        .split_whitespace()
        .chain(family_names.split_whitespace());
    let masked: Vec<_> = words.filter_map(mask_word).collect();
    masked.join(" ")
}

/// Composed first, so that a letter keeps its accent.
fn mask_word(word: &str) -> Option<String> {
    word.nfc().next().map(|letter| format!("{letter}***"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_first_letters_show() {
        let cases = [
            ("Anna Maria", "Schmidt", "A*** M*** S***"),
            ("Jean-Luc", "de la Tour", "J*** d*** l*** T***"),
            ("E\u{301}va", "Ørsted", "É*** Ø***"),
            ("明", "王", "明*** 王***"),
            ("  Li ", "", "L***"),
            ("", "", ""),
        ];
        for (given, family, masked) in cases {
            assert_eq!(mask(given, family), masked);
        }
    }
}
