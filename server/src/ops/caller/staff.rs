//! Staff who approve: the system's first SUPER_ADMIN.

use std::path::Path;

use anyhow::Context as _;
use gx_proto::gx::identity::v1::{ApproveVerificationRequest, LoginRequest};

use super::{
    api::{Api, call},
    person::Person,
};
use crate::id::random_uuid;

/// The contact that the first start makes, and the file with its password.
const CONTACT: &str = "root";
const PASSWORD_FILE: &str = "initial-password";

/// Somebody of staff who is signed in.
#[derive(Debug)]
pub(in crate::ops) struct Staff {
    pub(in crate::ops) token: String,
}

impl Staff {
    pub(in crate::ops) async fn sign_in(
        api: &Api,
        data_dir: &Path,
        password_file: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let message = LoginRequest {
            contact: CONTACT.to_owned(),
            password: password(data_dir, password_file)?,
            label: String::new(),
        };
        let answer = call(&api.identity, None, message, async |mut api, message| {
            api.login(message).await
        });
        let token = answer.await?.access_token;
        Ok(Self { token })
    }

    /// Approves a person and answers the operation that makes the account.
    pub(in crate::ops) async fn approve(
        &self,
        api: &Api,
        person: &Person,
    ) -> anyhow::Result<String> {
        let message = ApproveVerificationRequest {
            name: person.verification.clone(),
            request_id: random_uuid().to_string(),
        };
        let token = Some(self.token.as_str());
        let answer = call(&api.identity, token, message, async |mut api, message| {
            api.approve_verification(message).await
        });
        let operation = answer.await?.operation;
        Ok(operation.context("no operation was answered")?.name)
    }
}

fn password(data_dir: &Path, file: Option<&Path>) -> anyhow::Result<String> {
    let text = match file {
        Some(file) => std::fs::read_to_string(file)
            .with_context(|| format!("{} cannot be read", file.display()))?,
        None => {
            let file = data_dir.join(PASSWORD_FILE);
            std::fs::read_to_string(&file).with_context(|| {
                let file = file.display();
                format!(
                    "{file} cannot be read; if the password of {CONTACT} was changed, give a file \
                     with it by --staff-password-file"
                )
            })?
        }
    };
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_password_comes_from_its_own_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = format!("{:#}", password(folder.path(), None).unwrap_err());
        assert!(error.contains("--staff-password-file"), "{error}");
        std::fs::write(folder.path().join(PASSWORD_FILE), "first\n").unwrap();
        assert_eq!(password(folder.path(), None).unwrap(), "first");
        let own = folder.path().join("own");
        std::fs::write(&own, "a second one \n").unwrap();
        let second = password(folder.path(), Some(&own)).unwrap();
        assert_eq!(second, "a second one ");
    }
}
