//! Resource names, such as `documents/<uuid>`.

use uuid::Uuid;

/// The collection of people and staff.
pub(super) const USERS: &str = "users";
/// The collection of logins.
pub(super) const SESSIONS: &str = "sessions";
/// The collection of uploads.
pub(super) const DOCUMENTS: &str = "documents";
/// The collection of verifications.
pub(super) const VERIFICATIONS: &str = "verifications";

/// The name of a resource.
pub(super) fn name(collection: &str, id: Uuid) -> String {
    format!("{collection}/{id}")
}

/// The id in a name. A resource has one name: lower case, with hyphens.
pub(super) fn parse(collection: &str, text: &str) -> Result<Uuid, String> {
    text.strip_prefix(collection)
        .and_then(|rest| Uuid::try_parse(rest.strip_prefix('/')?).ok())
        .filter(|id| name(collection, *id) == text)
        .ok_or_else(|| format!("must be {collection}/<uuid>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_written() {
        let id = Uuid::from_u128(0xabc);
        let good = name(DOCUMENTS, id);
        assert_eq!(parse(DOCUMENTS, &good), Ok(id));
        for text in [
            String::new(),
            id.to_string(),
            format!("documents/{}", id.simple()),
            good.to_uppercase(),
            format!("documents/{}", id.to_string().to_uppercase()),
            format!("{good}/"),
            name(VERIFICATIONS, id),
        ] {
            assert!(parse(DOCUMENTS, &text).is_err(), "{text}");
        }
    }
}
