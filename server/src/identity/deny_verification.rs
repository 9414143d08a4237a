//! Denies a pending verification.

use gx_proto::gx::identity::v1::{
    DenyVerificationRequest, DenyVerificationResponse, UserStatus, VerificationState,
};
use sea_orm::{DatabaseTransaction, IntoActiveModel, Set, entity::prelude::*};

use super::{
    entity::{user, verification},
    names, query,
};
use crate::{
    app::App,
    audit,
    auth::{Caller, Context},
    error::{Error, Result, Violations},
};

const REASON_MAX: usize = 500;

/// A verification and what its person is told.
#[derive(Debug)]
pub(super) struct DenyVerification {
    verification: Uuid,
    reason: String,
}

impl TryFrom<DenyVerificationRequest> for DenyVerification {
    type Error = Error;

    fn try_from(message: DenyVerificationRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let name = names::parse(names::VERIFICATIONS, &message.name);
        let verification = violations.take("name", name);
        let reason = violations.take("reason", reason(&message.reason));
        let both = verification.zip(reason);
        violations.finish(both.map(|(verification, reason)| Self {
            verification,
            reason,
        }))
    }
}

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.chars().count() {
        1..=REASON_MAX if text.contains(is_control) => {
            Err("must not contain control characters but line breaks".to_owned())
        }
        1..=REASON_MAX => Ok(text.to_owned()),
        _ => Err(format!("must have 1 to {REASON_MAX} characters")),
    }
}

fn is_control(c: char) -> bool {
    c.is_control() && c != '\n'
}

impl DenyVerification {
    pub(super) async fn handle(
        self,
        app: &App,
        caller: &Caller,
        context: &Context,
    ) -> Result<DenyVerificationResponse> {
        let now_ms = app.clock.now_ms();
        let tx = app.store.begin().await?;
        let row = verification::Entity::lock_in(&tx, caller, self.verification).await?;
        row.may_be_decided_by(caller)?;
        let row = match row.state() {
            VerificationState::Pending => self.deny_in(&tx, caller, now_ms, row).await?,
            VerificationState::Denied if row.reason.as_ref() == Some(&self.reason) => row,
            _ => return Err(row.decided()),
        };
        let entry = audit::Entry::of_call(context, Some(caller.user), row.name());
        audit::record_in(&tx, now_ms, vec![entry]).await?;
        let verification = query::show(app, &tx, caller, row).await?;
        tx.commit().await?;
        Ok(DenyVerificationResponse {
            verification: Some(verification),
        })
    }

    async fn deny_in(
        self,
        tx: &DatabaseTransaction,
        caller: &Caller,
        now_ms: i64,
        row: verification::Model,
    ) -> Result<verification::Model> {
        let mut applicant = user::Entity::lock_in(tx, caller, row.user_id)
            .await?
            .into_active_model();
        applicant.status = Set(UserStatus::Denied.into());
        applicant.update(tx).await?;
        let mut row = row.into_active_model();
        row.state = Set(VerificationState::Denied.into());
        row.reason = Set(Some(self.reason));
        row.known_account = Set(None);
        row.decided_ms = Set(Some(now_ms));
        row.decided_by = Set(Some(caller.user.0));
        Ok(row.update(tx).await?)
    }
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::{common::v1::Reason, identity::v1::Role};

    use super::*;
    use crate::identity::harness::{CONTACT, Harness, NUMBER, reason, violations};

    async fn deny(
        harness: &Harness,
        staff: &Caller,
        name: &str,
        reason: &str,
    ) -> Result<DenyVerificationResponse> {
        DenyVerification::try_from(DenyVerificationRequest {
            name: name.to_owned(),
            reason: reason.to_owned(),
        })?
        .handle(&harness.app, staff, &harness.context)
        .await
    }

    #[tokio::test]
    async fn the_person_is_told_why_and_may_submit_again() {
        let harness = Harness::new().await;
        let staff = harness.staff().await;
        let caller = harness.applicant(CONTACT).await;
        let answer = harness.submit(&caller, NUMBER).await.unwrap();
        let name = answer.verification.unwrap().name;

        let first = deny(&harness, &staff, &name, "too dark").await.unwrap();
        let again = deny(&harness, &staff, &name, " too dark ").await.unwrap();
        assert_eq!(first, again);
        let told = first.verification.unwrap();
        assert_eq!(told.state(), VerificationState::Denied);
        assert_eq!(told.reason, "too dark");
        assert_eq!(told.document_number, NUMBER);
        assert_eq!(harness.status(&caller).await, UserStatus::Denied);

        let other = deny(&harness, &staff, &name, "too small").await;
        assert_eq!(reason(other), Some(Reason::VerificationState));
        assert!(harness.submit(&caller, NUMBER).await.is_ok());
    }

    #[tokio::test]
    async fn an_admin_who_is_a_person_too_does_not_deny_the_own_verification() {
        let harness = Harness::new().await;
        let person = harness.applicant(CONTACT).await;
        let answer = harness.submit(&person, NUMBER).await.unwrap();
        let name = answer.verification.unwrap().name;
        let roles = vec![Role::User, Role::SuperAdmin];
        let both = Caller { roles, ..person };
        let answer = deny(&harness, &both, &name, "too good").await;
        assert_eq!(reason(answer), Some(Reason::OwnVerification));
        assert_eq!(harness.status(&both).await, UserStatus::PendingApproval);
    }

    #[tokio::test]
    async fn what_does_not_exist_is_not_found() {
        let harness = Harness::new().await;
        let staff = harness.staff().await;
        let name = names::name(names::VERIFICATIONS, Uuid::nil());
        let answer = deny(&harness, &staff, &name, "unknown").await;
        assert_eq!(reason(answer), Some(Reason::NotFound));
    }

    #[tokio::test]
    async fn all_violations_are_told_at_once() {
        let harness = Harness::new().await;
        let staff = harness.staff().await;
        for text in [" ".to_owned(), "r".repeat(501), "a\u{0}".to_owned()] {
            let error = deny(&harness, &staff, "users/1", &text).await.unwrap_err();
            assert_eq!(violations(error), ["name", "reason"]);
        }
    }
}
