//! Reads one verification.

use gx_proto::gx::identity::v1::{GetVerificationRequest, GetVerificationResponse};
use sea_orm::entity::prelude::*;

use super::{entity::verification, names, query};
use crate::{
    app::App,
    auth::Caller,
    error::{Error, Result, Violations},
};

/// A verification to read.
#[derive(Debug)]
pub(super) struct GetVerification {
    verification: Uuid,
}

impl TryFrom<GetVerificationRequest> for GetVerification {
    type Error = Error;

    fn try_from(message: GetVerificationRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let name = names::parse(names::VERIFICATIONS, &message.name);
        let verification = violations.take("name", name);
        violations.finish(verification.map(|verification| Self { verification }))
    }
}

impl GetVerification {
    /// What it is about, for the audit log.
    pub(super) fn subject(&self) -> String {
        names::name(names::VERIFICATIONS, self.verification)
    }

    pub(super) async fn handle(
        self,
        app: &App,
        caller: &Caller,
    ) -> Result<GetVerificationResponse> {
        let tx = app.store.snapshot().await?;
        let row = verification::Entity::readable(&tx, caller, self.verification).await?;
        let verification = query::show(app, &tx, caller, row).await?;
        Ok(GetVerificationResponse {
            verification: Some(verification),
        })
    }
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::common::v1::Reason;

    use crate::identity::harness::{CONTACT, Harness, NUMBER, reason, violations};

    #[tokio::test]
    async fn the_person_and_overseers_see_it_and_nobody_else() {
        let harness = Harness::new().await;
        let owner = harness.applicant(CONTACT).await;
        let stranger = harness.applicant("other@example.org").await;
        let staff = harness.staff().await;
        let answer = harness.submit(&owner, NUMBER).await.unwrap();
        let name = answer.verification.unwrap().name;

        let own = harness.verification(&owner, &name).await.unwrap();
        assert_eq!((own.document_number.as_str(), own.applicant), ("", None));
        let whole = harness.verification(&staff, &name).await.unwrap();
        assert_eq!(whole.document_number, NUMBER);
        assert_eq!(whole.applicant, Some(harness.me(&owner).await));
        assert_eq!(whole.documents, own.documents);

        let answer = harness.verification(&stranger, &name).await;
        assert_eq!(reason(answer), Some(Reason::NotFound));
        let error = harness.verification(&owner, "verifications/1").await;
        assert_eq!(violations(error.unwrap_err()), ["name"]);
    }
}
