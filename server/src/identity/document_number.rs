//! The number of an identity document: as printed for staff, and as a commitment
//! by which one human has one account.

use std::borrow::Cow;

use gx_proto::gx::identity::v1::DocumentType;
use unicode_normalization::UnicodeNormalization;

use super::person::misleads;
use crate::secrets::Secrets;

const LENGTH: std::ops::RangeInclusive<usize> = 3..=40;
const SIGNIFICANT_MIN: usize = 3;

/// A document's number.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct DocumentNumber {
    printed: String,
    significant: String,
}

impl DocumentNumber {
    /// Reads a number as printed. What counts of it is letters and digits, in
    /// compatibility form (NFKC) and upper case: nobody becomes another by a space.
    pub(super) fn parse(text: &str) -> Result<Self, Cow<'static, str>> {
        let printed = text.trim().to_owned();
        let (least, most) = LENGTH.into_inner();
        if !LENGTH.contains(&printed.chars().count()) {
            return Err(format!("must have {least} to {most} characters").into());
        }
        if printed.contains(misleads) {
            return Err("must not contain control characters".into());
        }
        // Again after upper case, which may take a letter apart.
        let upper = printed.nfkc().collect::<String>().to_uppercase();
        let significant: String = upper.nfkc().filter(|c| c.is_alphanumeric()).collect();
        if significant.chars().count() < SIGNIFICANT_MIN {
            return Err(format!("must hold at least {SIGNIFICANT_MIN} letters or digits").into());
        }
        Ok(Self {
            printed,
            significant,
        })
    }

    /// As printed.
    pub(super) fn printed(&self) -> &str {
        &self.printed
    }

    /// What the chain carries in place of the document.
    pub(super) fn commitment(
        &self,
        secrets: &Secrets,
        document_type: DocumentType,
        country: &str,
    ) -> [u8; 32] {
        let document_type = i32::from(document_type).to_be_bytes();
        let parts = [
            &document_type,
            country.as_bytes(),
            self.significant.as_bytes(),
        ];
        secrets.document_number.mac("document", &parts)
    }
}

/// Numbers are personal; they stand in no log.
impl std::fmt::Debug for DocumentNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DocumentNumber")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commitment(secrets: &Secrets, number: &str) -> [u8; 32] {
        let number = DocumentNumber::parse(number).unwrap();
        number.commitment(secrets, DocumentType::Passport, "DE")
    }

    #[test]
    fn spellings_of_one_number_give_one_commitment() {
        let secrets =
            Secrets::load_or_create(&tempfile::tempdir().unwrap().path().join("keys")).unwrap();
        let expected = commitment(&secrets, "C01X00T47");
        for spelling in [
            " c01x00t47",
            "C01 X00 T47",
            "C-01/X00.T47",
            "Ｃ０１Ｘ００Ｔ４７",
        ] {
            assert_eq!(commitment(&secrets, spelling), expected, "{spelling}");
        }
        assert_eq!(
            commitment(&secrets, "straße"),
            commitment(&secrets, "STRASSE")
        );
        assert_ne!(commitment(&secrets, "C01X00T48"), expected);
    }

    #[test]
    fn type_country_and_key_are_part_of_the_commitment() {
        let secrets =
            Secrets::load_or_create(&tempfile::tempdir().unwrap().path().join("keys")).unwrap();
        let others =
            Secrets::load_or_create(&tempfile::tempdir().unwrap().path().join("keys")).unwrap();
        let number = DocumentNumber::parse("C01X00T47").unwrap();
        let all = [
            number.commitment(&secrets, DocumentType::Passport, "DE"),
            number.commitment(&secrets, DocumentType::IdentityCard, "DE"),
            number.commitment(&secrets, DocumentType::Passport, "FR"),
            number.commitment(&others, DocumentType::Passport, "DE"),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[index + 1..].contains(one), "{index}");
        }
    }

    #[test]
    fn numbers_without_substance_are_refused() {
        let long = "1".repeat(41);
        for text in ["", "12", "1 2", "- - -", "12\u{0}3", &long] {
            assert!(DocumentNumber::parse(text).is_err(), "{text}");
        }
        assert!(DocumentNumber::parse(&long[1..]).is_ok());
        assert_eq!(DocumentNumber::parse(" A-1 2 ").unwrap().printed(), "A-1 2");
    }
}
