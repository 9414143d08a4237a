//! Changes the caller's password and ends the caller's other sessions.

use std::{io::ErrorKind, path::Path};

use gx_proto::gx::identity::v1::{ChangePasswordRequest, ChangePasswordResponse};
use sea_orm::{DatabaseTransaction, IntoActiveModel, Set, entity::prelude::*};

use super::{attempts, conclude::conclude, contact::Contact, entity::user, first_start, person};
use crate::{
    app::App,
    audit::Entry,
    auth::{Caller, Context, Password, session},
    error::{Error, Result, Violations},
};

/// An old password and a new one.
#[derive(Debug)]
pub(super) struct ChangePassword {
    current: Password,
    new: Password,
}

impl TryFrom<ChangePasswordRequest> for ChangePassword {
    type Error = Error;

    fn try_from(message: ChangePasswordRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let current = violations.take(
            "current_password",
            person::password(&message.current_password),
        );
        let new = violations.take("new_password", person::new_password(&message.new_password));
        if let (Some(current), Some(new)) = (&current, &new) {
            let differs = current.expose() != new.expose();
            violations.require("new_password", differs, "must not be the current password");
        }
        let both = current.zip(new);
        violations.finish(both.map(|(current, new)| Self { current, new }))
    }
}

impl ChangePassword {
    pub(super) async fn handle(
        self,
        app: &App,
        caller: &Caller,
        context: &Context,
    ) -> Result<ChangePasswordResponse> {
        let user = user::Entity::own(app.store.read(), caller).await?;
        let contact = Contact::stored(&user.contact);
        self.check(&contact)?;
        let proven = self.prove(app, &user).await?;

        let now_ms = app.clock.now_ms();
        let entry = Entry::of_call(context, Some(caller.user), user.name());
        let tx = app.store.begin().await?;
        let outcome =
            match attempts::judge_in(&tx, app, now_ms, context.client, &contact, proven).await? {
                Ok(new_hash) => change_in(&tx, now_ms, caller, &user, new_hash).await?,
                Err(refusal) => Err(refusal),
            };
        conclude(tx, now_ms, entry, outcome).await?;
        if user.contact == first_start::CONTACT {
            forget(&app.data_dir.join(first_start::PASSWORD_FILE));
        }
        Ok(ChangePasswordResponse {})
    }

    fn check(&self, contact: &Contact) -> Result<()> {
        let mut violations = Violations::default();
        let differs = !contact.is(self.new.expose());
        violations.require("new_password", differs, "must not be the contact");
        violations.finish(Some(()))
    }

    /// The new password's hash, for whoever knows the old password.
    async fn prove(&self, app: &App, user: &user::Model) -> Result<Option<String>> {
        let hash = Some(user.password_hash.as_str());
        if app.passwords.verify(&self.current, hash).await? {
            Ok(Some(app.passwords.hash(&self.new).await?))
        } else {
            Ok(None)
        }
    }
}

async fn change_in(
    tx: &DatabaseTransaction,
    now_ms: i64,
    caller: &Caller,
    proven: &user::Model,
    new_hash: String,
) -> Result<Result<()>> {
    // Another session may have changed it while this one proved the old one.
    let user = user::Entity::lock_own_in(tx, caller).await?;
    if user.password_hash != proven.password_hash {
        return Ok(Err(attempts::wrong()));
    }
    let mut user = user.into_active_model();
    user.password_hash = Set(new_hash);
    user.update(tx).await?;
    session::revoke_others_in(tx, now_ms, caller).await?;
    Ok(Ok(()))
}

/// Removes the file with the initial password, which is worth nothing now.
fn forget(path: &Path) {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!(file = %path.display(), error = %error, "initial password not removed");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::common::v1::Reason;

    use super::*;
    use crate::identity::harness::{CONTACT, Harness, PASSWORD, reason, violations};

    const NEW: &str = "another passphrase";

    async fn change(
        harness: &Harness,
        caller: &Caller,
        current: &str,
        new: &str,
    ) -> Result<ChangePasswordResponse> {
        ChangePassword::try_from(ChangePasswordRequest {
            current_password: current.to_owned(),
            new_password: new.to_owned(),
        })?
        .handle(&harness.app, caller, &harness.context)
        .await
    }

    #[tokio::test]
    async fn the_new_password_is_right_and_other_sessions_end() {
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        let other = harness.login(CONTACT, PASSWORD).await.unwrap().access_token;
        let own = harness.login(CONTACT, PASSWORD).await.unwrap().access_token;
        let caller = harness.caller(&own).await.unwrap();
        change(&harness, &caller, PASSWORD, NEW).await.unwrap();

        assert!(harness.caller(&own).await.is_ok());
        let answer = harness.caller(&other).await;
        assert_eq!(reason(answer), Some(Reason::SessionRevoked));
        let answer = harness.login(CONTACT, PASSWORD).await;
        assert_eq!(reason(answer), Some(Reason::CredentialsWrong));
        assert!(harness.login(CONTACT, NEW).await.is_ok());
    }

    #[tokio::test]
    async fn wrong_passwords_count_towards_the_lock_of_the_login() {
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        let caller = harness.sign_in(CONTACT).await;
        for _ in 0..10 {
            let answer = change(&harness, &caller, "a wrong password", NEW).await;
            assert_eq!(reason(answer), Some(Reason::CredentialsWrong));
        }
        let answer = change(&harness, &caller, PASSWORD, NEW).await;
        assert_eq!(reason(answer), Some(Reason::LoginLocked));
        let answer = harness.login(CONTACT, PASSWORD).await;
        assert_eq!(reason(answer), Some(Reason::LoginLocked));
    }

    #[tokio::test]
    async fn of_two_changes_at_once_one_wins() {
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        let caller = harness.sign_in(CONTACT).await;
        let (one, other) = tokio::join!(
            change(&harness, &caller, PASSWORD, NEW),
            change(&harness, &caller, PASSWORD, "a third passphrase"),
        );
        assert_ne!(one.is_ok(), other.is_ok());
    }

    #[tokio::test]
    async fn all_violations_are_told_at_once() {
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        let caller = harness.sign_in(CONTACT).await;
        let error = change(&harness, &caller, "", "short").await.unwrap_err();
        assert_eq!(violations(error), ["current_password", "new_password"]);
        for new in [PASSWORD, CONTACT] {
            let error = change(&harness, &caller, PASSWORD, new).await.unwrap_err();
            assert_eq!(violations(error), ["new_password"]);
        }
    }
}
