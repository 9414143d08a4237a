//! Failed proofs of a password, counted by contact whether anybody has it or not,
//! so that a lock tells nothing about who exists.

use std::time::Duration;

use gx_proto::gx::common::v1::Reason;
use sea_orm::{
    DatabaseTransaction, IntoActiveModel, Set, entity::prelude::*, sea_query::OnConflict,
};

use super::{contact::Contact, entity::login_failure};
use crate::{
    app::App,
    error::{Error, Result},
    store::Lock,
};

/// How long a failure is remembered.
const KEEP_MS: i64 = 24 * 60 * 60 * 1_000;

/// Decides about a proof: what was proven, or the refusal to tell and to record.
/// The decision falls under a lock and after the password was verified, so guesses
/// made at once learn no more than guesses made in a row: once the lock is there,
/// right and wrong are answered alike.
///
/// # Errors
/// If the database fails. A refusal is no error: the transaction must commit.
pub(super) async fn judge_in<T>(
    tx: &DatabaseTransaction,
    app: &App,
    now_ms: i64,
    contact: &Contact,
    proven: Option<T>,
) -> Result<Result<T>> {
    let hash = contact.hash(&app.secrets).to_vec();
    let row = match &proven {
        Some(_) => find_in(tx, &hash).await?,
        None => Some(find_or_make_in(tx, now_ms, &hash).await?),
    };
    if let Some(row) = row.as_ref().filter(|row| now_ms < row.locked_until_ms) {
        return Ok(Err(locked(row.locked_until_ms - now_ms)));
    }
    match (proven, row) {
        (Some(proven), row) => {
            if let Some(row) = row {
                row.delete(tx).await?;
            }
            Ok(Ok(proven))
        }
        (None, row) => {
            if let Some(row) = row {
                count_in(tx, app, now_ms, row).await?;
            }
            Ok(Err(wrong()))
        }
    }
}

/// The refusal of contact or password.
pub(super) fn wrong() -> Error {
    Error::rejected(Reason::CredentialsWrong, "contact or password is wrong")
}

fn locked(rest_ms: i64) -> Error {
    let rest = Duration::from_millis(u64::try_from(rest_ms).unwrap_or(0));
    Error::rejected(Reason::LoginLocked, "too many failures in a row").retry_after(rest)
}

async fn find_in(tx: &DatabaseTransaction, hash: &[u8]) -> Result<Option<login_failure::Model>> {
    let find = login_failure::Entity::find_by_id(hash.to_vec());
    Ok(find.for_update().one(tx).await?)
}

async fn find_or_make_in(
    tx: &DatabaseTransaction,
    now_ms: i64,
    hash: &[u8],
) -> Result<login_failure::Model> {
    login_failure::Entity::delete_many()
        .filter(login_failure::Column::LastMs.lt(now_ms - KEEP_MS))
        .exec(tx)
        .await?;
    let none = login_failure::Model {
        contact_hash: hash.to_vec(),
        failures: 0,
        locked_until_ms: 0,
        last_ms: now_ms,
    };
    login_failure::Entity::insert(none.clone().into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    // Somebody who succeeds at the same moment may have taken the row away.
    Ok(find_in(tx, hash).await?.unwrap_or(none))
}

/// Counts a failure; the last one that is allowed locks, and the count begins anew
/// after that.
async fn count_in(
    tx: &DatabaseTransaction,
    app: &App,
    now_ms: i64,
    row: login_failure::Model,
) -> Result<()> {
    let login = &app.config.login;
    let lock_ms = i64::try_from(login.lock_s).unwrap_or(i64::MAX / 2_000) * 1_000;
    let failures = row.failures + 1;
    let locks = i64::from(failures) >= i64::from(login.failures);
    login_failure::Entity::update_many()
        .set(login_failure::ActiveModel {
            failures: Set(if locks { 0 } else { failures }),
            locked_until_ms: Set(if locks { now_ms + lock_ms } else { 0 }),
            last_ms: Set(now_ms),
            ..Default::default()
        })
        .filter(login_failure::Column::ContactHash.eq(row.contact_hash))
        .exec(tx)
        .await?;
    Ok(())
}
