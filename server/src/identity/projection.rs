//! What becomes of people when the ledger has decided about their accounts. The
//! projector calls these in the transaction that settles the command.

use gx_proto::gx::{
    common::v1::Reason,
    identity::v1::{UserStatus, VerificationState},
};
use sea_orm::{DatabaseTransaction, IntoActiveModel, QueryFilter, Set, entity::prelude::*};

use super::entity::{user, verification};
use crate::{
    error::{Result, reason_name},
    outbox::Refusal,
    store::Lock,
};

/// The account is open: its person becomes ACTIVE. Whoever has gone further since
/// stays there, and an account of nobody here changes nothing.
///
/// # Errors
/// If the database fails.
pub async fn account_opened_in(tx: &DatabaseTransaction, account: &str) -> Result<()> {
    user::Entity::update_many()
        .set(user::ActiveModel {
            status: Set(UserStatus::Active.into()),
            ..Default::default()
        })
        .filter(user::Column::Account.eq(account))
        .filter(user::Column::Status.eq(i32::from(UserStatus::Approved)))
        .exec(tx)
        .await?;
    Ok(())
}

/// The account was refused or its command withdrawn: the person waits for staff
/// again, and staff reads why, and which account the ledger has already. Another
/// operation's verification is left alone.
///
/// # Errors
/// If the database fails.
pub async fn account_refused_in(
    tx: &DatabaseTransaction,
    operation: Uuid,
    refusal: Refusal,
) -> Result<()> {
    let found = verification::Entity::find()
        .filter(verification::Column::Operation.eq(operation))
        .filter(verification::Column::State.eq(i32::from(VerificationState::Approved)))
        .for_update()
        .one(tx)
        .await?;
    let Some(row) = found else {
        return Ok(());
    };
    user::Entity::update_many()
        .set(user::ActiveModel {
            status: Set(UserStatus::PendingApproval.into()),
            account: Set(None),
            ..Default::default()
        })
        .filter(user::Column::Id.eq(row.user_id))
        .filter(user::Column::Status.eq(i32::from(UserStatus::Approved)))
        .exec(tx)
        .await?;
    let mut row = row.into_active_model();
    row.state = Set(VerificationState::Pending.into());
    row.reason = Set(Some(reason_name(refusal.reason).to_owned()));
    row.known_account = Set(known_account(refusal));
    row.operation = Set(None);
    row.decided_ms = Set(None);
    row.decided_by = Set(None);
    row.update(tx).await?;
    Ok(())
}

/// The account that has the document, if that is why.
fn known_account(refusal: Refusal) -> Option<String> {
    let mut metadata = refusal.metadata.into_iter();
    let named = metadata.find(|(key, _)| *key == "account");
    named
        .filter(|_| refusal.reason == Reason::KnownCommitment)
        .map(|(_, account)| account)
}
