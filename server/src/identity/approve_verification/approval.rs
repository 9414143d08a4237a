//! What an approval changes when its command is accepted, in the same transaction.

use async_trait::async_trait;
use gx_contract::account::AccountId;
use gx_proto::gx::{
    common::v1::Reason,
    identity::v1::{UserStatus, VerificationState},
};
use sea_orm::{DatabaseTransaction, IntoActiveModel, Set, entity::prelude::*};

use super::super::entity::{user, verification};
use crate::{
    auth::Caller,
    directory,
    error::Result,
    id::CommandId,
    outbox::{Accept, Refusal},
};

/// What an approval changes when its command is accepted.
#[derive(Debug)]
pub(super) struct Approval {
    pub(super) caller: Caller,
    pub(super) verification: Uuid,
    pub(super) account: AccountId,
    pub(super) now_ms: i64,
}

#[async_trait]
impl Accept for Approval {
    async fn accept_in(
        &self,
        tx: &DatabaseTransaction,
        operation: CommandId,
    ) -> Result<Result<(), Refusal>> {
        let row = verification::Entity::lock_in(tx, &self.caller, self.verification).await?;
        if row.state() != VerificationState::Pending {
            let refusal = Refusal::new(Reason::VerificationState);
            return Ok(Err(refusal.with("state", row.state_name())));
        }
        let applicant = user::Entity::lock_in(tx, &self.caller, row.user_id).await?;
        self.claim_in(tx, &applicant).await?;
        self.approve_in(tx, operation, row, applicant).await?;
        Ok(Ok(()))
    }
}

impl Approval {
    async fn claim_in(&self, tx: &DatabaseTransaction, applicant: &user::Model) -> Result<()> {
        let masked = directory::mask(&applicant.given_names, &applicant.family_name);
        let (account, country) = (self.account.as_str(), applicant.nationality.as_str());
        directory::claim_in(tx, account, applicant.id(), &masked, country).await
    }

    async fn approve_in(
        &self,
        tx: &DatabaseTransaction,
        operation: CommandId,
        row: verification::Model,
        applicant: user::Model,
    ) -> Result<()> {
        let mut row = row.into_active_model();
        row.state = Set(VerificationState::Approved.into());
        row.operation = Set(Some(operation.0));
        row.reason = Set(None);
        row.known_account = Set(None);
        row.decided_ms = Set(Some(self.now_ms));
        row.decided_by = Set(Some(self.caller.user.0));
        row.update(tx).await?;
        let mut applicant = applicant.into_active_model();
        applicant.status = Set(UserStatus::Approved.into());
        applicant.account = Set(Some(self.account.to_string()));
        applicant.update(tx).await?;
        Ok(())
    }
}
