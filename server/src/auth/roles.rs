//! Roles as the database keeps them: their names, with commas between them.

use gx_proto::gx::identity::v1::Role;

const PREFIX: &str = "ROLE_";

/// The roles as text, such as `USER,ADMIN`.
pub fn to_text(roles: &[Role]) -> String {
    let names = roles.iter().map(|role| role.as_str_name());
    let names: Vec<_> = names.map(|name| name.trim_start_matches(PREFIX)).collect();
    names.join(",")
}

/// The roles in a text. A name that this version does not know grants nothing.
pub fn from_text(text: &str) -> Vec<Role> {
    text.split(',')
        .filter_map(|name| Role::from_str_name(&format!("{PREFIX}{name}")))
        .filter(|role| *role != Role::Unspecified)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_as_written() {
        for roles in [
            vec![],
            vec![Role::User],
            vec![Role::SuperAdmin, Role::Auditor],
        ] {
            assert_eq!(from_text(&to_text(&roles)), roles);
        }
        assert_eq!(to_text(&[Role::User, Role::Admin]), "USER,ADMIN");
        assert_eq!(from_text("UNSPECIFIED,OWNER,ADMIN"), [Role::Admin]);
    }
}
