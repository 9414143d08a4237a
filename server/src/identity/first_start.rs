//! Staff that the system makes: the first SUPER_ADMIN, and whom tools and tests
//! need.

use anyhow::Context;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use gx_proto::gx::identity::v1::{Role, UserStatus};
use sea_orm::{DatabaseTransaction, IntoActiveModel, entity::prelude::*, sea_query::OnConflict};
use zeroize::Zeroizing;

use super::{contact::Contact, entity::user};
use crate::{
    app::App,
    auth::{Password, UserId, roles},
    error::Result,
    id::{self, random_bytes},
    secrets::write_private,
    store::Store,
};

/// The only contact that is no e-mail address.
pub(super) const CONTACT: &str = "root";
/// The file in `data_dir` that holds the initial password until it is changed.
pub const PASSWORD_FILE: &str = "initial-password";

/// Makes the first SUPER_ADMIN, `root`, unless there is one. The initial password
/// stands in `data_dir/initial-password` before the user does, so a crash between
/// the two only means that the next start makes both again. Answers whether the
/// user was made; the caller then names the file to whoever started the process.
///
/// # Errors
/// If the file cannot be written or the database fails.
pub async fn first_start(app: &App) -> Result<bool> {
    let root = user::signing_in(&Contact::stored(CONTACT));
    if root.one(app.store.read()).await?.is_some() {
        return Ok(false);
    }
    let password = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(random_bytes::<24>()));
    let hash = app.passwords.hash(&Password::new(&password)).await?;

    let now_ms = app.clock.now_ms();
    let tx = app.store.begin().await?;
    if make_staff_in(&tx, now_ms, CONTACT, &hash, &[Role::SuperAdmin])
        .await?
        .is_none()
    {
        return Ok(false);
    }
    let path = app.data_dir.join(PASSWORD_FILE);
    let line = Zeroizing::new(format!("{}\n", *password));
    write_private(&path, line.as_bytes()).context("the initial password")?;
    tx.commit().await?;
    Ok(true)
}

/// Whether there is a user: then there is data that only its own keys fit.
///
/// # Errors
/// If the database fails.
pub async fn anybody(store: &Store) -> Result<bool> {
    let somebody = user::anybody().one(store.read()).await?;
    Ok(somebody.is_some())
}

/// Makes an ACTIVE member of staff, unless the contact is taken. `password_hash`
/// is what [`crate::auth::Passwords::hash`] answers.
///
/// # Errors
/// If the database fails.
pub async fn make_staff_in(
    tx: &DatabaseTransaction,
    now_ms: i64,
    contact: &str,
    password_hash: &str,
    staff_roles: &[Role],
) -> Result<Option<UserId>> {
    let user = user::Model {
        id: id::ordered_uuid(now_ms),
        contact: contact.to_owned(),
        given_names: String::new(),
        family_name: String::new(),
        birth_date: String::new(),
        nationality: String::new(),
        password_hash: password_hash.to_owned(),
        status: UserStatus::Active.into(),
        roles: roles::to_text(staff_roles),
        account: None,
        created_ms: now_ms,
    };
    let id = user.id();
    let inserted = user::Entity::insert(user.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok((inserted > 0).then_some(id))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use gx_proto::gx::identity::v1::ChangePasswordRequest;

    use super::*;
    use crate::identity::{change_password::ChangePassword, harness::Harness};

    #[tokio::test]
    async fn root_is_made_once_and_its_file_goes_with_its_password() {
        let harness = Harness::new().await;
        assert!(!anybody(&harness.app.store).await.unwrap());
        assert!(first_start(&harness.app).await.unwrap());
        assert!(anybody(&harness.app.store).await.unwrap());
        let path = harness.app.data_dir.join(PASSWORD_FILE);
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let initial = std::fs::read_to_string(&path).unwrap();
        let initial = initial.trim();
        assert!(initial.len() >= 20, "{initial}");

        assert!(!first_start(&harness.app).await.unwrap());
        let answer = harness.login(CONTACT, initial).await.unwrap();
        let caller = harness.caller(&answer.access_token).await.unwrap();
        assert_eq!(caller.roles, [Role::SuperAdmin]);

        ChangePassword::try_from(ChangePasswordRequest {
            current_password: initial.to_owned(),
            new_password: "another passphrase".to_owned(),
        })
        .unwrap()
        .handle(&harness.app, &caller, &harness.context)
        .await
        .unwrap();
        assert!(!path.exists());
        assert!(!first_start(&harness.app).await.unwrap());
    }
}
