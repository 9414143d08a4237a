//! Asks staff to verify the caller.

use gx_proto::gx::{
    common::v1::Reason,
    identity::v1::{
        DocumentType, SubmitVerificationRequest, SubmitVerificationResponse, UserStatus,
        VerificationState,
    },
};
use sea_orm::{
    DatabaseTransaction, IntoActiveModel, QueryFilter, Set, entity::prelude::*,
    sea_query::OnConflict,
};

use super::{
    document_number::DocumentNumber,
    entity::{
        document, user,
        verification::{self, Documents, number_belongs_to},
    },
    names, person, query,
};
use crate::{
    app::App,
    audit,
    auth::{Caller, Context},
    error::{Error, Result, Violations},
    id,
};

const DOCUMENTS: std::ops::RangeInclusive<usize> = 1..=6;

/// A request to be verified.
#[derive(Debug)]
pub(super) struct SubmitVerification {
    document_type: DocumentType,
    country: String,
    number: DocumentNumber,
    documents: Vec<Uuid>,
}

impl TryFrom<SubmitVerificationRequest> for SubmitVerification {
    type Error = Error;

    fn try_from(message: SubmitVerificationRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let document_type = violations.take("document_type", document_type(&message));
        let country = violations.take(
            "document_country",
            person::country(&message.document_country),
        );
        let number = violations.take(
            "document_number",
            DocumentNumber::parse(&message.document_number),
        );
        let documents = violations.take("documents", documents(&message.documents));
        let command = || {
            Some(Self {
                document_type: document_type?,
                country: country?,
                number: number?,
                documents: documents?,
            })
        };
        violations.finish(command())
    }
}

fn document_type(message: &SubmitVerificationRequest) -> Result<DocumentType, &'static str> {
    DocumentType::try_from(message.document_type)
        .ok()
        .filter(|known| *known != DocumentType::Unspecified)
        .ok_or("must be a known type")
}

fn documents(texts: &[String]) -> Result<Vec<Uuid>, String> {
    let (least, most) = DOCUMENTS.into_inner();
    if !DOCUMENTS.contains(&texts.len()) {
        return Err(format!("must name {least} to {most} uploads"));
    }
    let mut ids = Vec::with_capacity(texts.len());
    for text in texts {
        let id = names::parse(names::DOCUMENTS, text)?;
        if ids.contains(&id) {
            return Err("must not name an upload twice".to_owned());
        }
        ids.push(id);
    }
    Ok(ids)
}

impl SubmitVerification {
    pub(super) async fn handle(
        self,
        app: &App,
        caller: &Caller,
        context: &Context,
    ) -> Result<SubmitVerificationResponse> {
        let now_ms = app.clock.now_ms();
        let tx = app.store.begin().await?;
        let user = lock_in(&tx, caller).await?;
        self.own_documents_in(&tx, caller).await?;
        let row = self.row(app, &user, now_ms);
        insert_in(&tx, &row).await?;
        let mut user = user.into_active_model();
        user.status = Set(UserStatus::PendingApproval.into());
        user.update(&tx).await?;
        let entry = audit::Entry::of_call(context, Some(caller.user), row.name());
        audit::record_in(&tx, now_ms, vec![entry]).await?;
        let verification = query::show(app, &tx, caller, row).await?;
        tx.commit().await?;
        Ok(SubmitVerificationResponse {
            verification: Some(verification),
        })
    }

    async fn own_documents_in(&self, tx: &DatabaseTransaction, caller: &Caller) -> Result<()> {
        let found = document::Entity::own(caller)
            .filter(document::Column::Id.is_in(self.documents.clone()))
            .into_partial_model::<document::Summary>()
            .all(tx)
            .await?;
        let missing = |id: &&Uuid| found.iter().all(|document| document.id != **id);
        match self.documents.iter().find(missing) {
            Some(id) => Err(Error::not_found(names::name(names::DOCUMENTS, *id))),
            None => Ok(()),
        }
    }

    fn row(&self, app: &App, user: &user::Model, now_ms: i64) -> verification::Model {
        let id = id::ordered_uuid(now_ms);
        let keys = &app.secrets.document;
        let printed = self.number.printed().as_bytes();
        let number = keys.seal(&number_belongs_to(id, user.id), printed);
        let commitment = self
            .number
            .commitment(&app.secrets, self.document_type, &self.country);
        verification::Model {
            id,
            user_id: user.id,
            state: VerificationState::Pending.into(),
            document_type: self.document_type.into(),
            document_country: self.country.clone(),
            number_encrypted: number.bytes,
            key_id: number.key_id,
            commitment: commitment.to_vec(),
            documents: Documents(self.documents.clone()),
            created_ms: now_ms,
            decided_ms: None,
            decided_by: None,
            reason: None,
            operation: None,
            known_account: None,
        }
    }
}

/// The caller, who must have no verification that is pending or approved.
async fn lock_in(tx: &DatabaseTransaction, caller: &Caller) -> Result<user::Model> {
    let user = user::Entity::lock_own_in(tx, caller).await?;
    match user.status() {
        UserStatus::Registered | UserStatus::Denied => Ok(user),
        _ => Err(user.status_refusal()),
    }
}

/// The index on commitments decides, so two people who submit one document at the
/// same moment do not both pass.
async fn insert_in(tx: &DatabaseTransaction, row: &verification::Model) -> Result<()> {
    let inserted = verification::Entity::insert(row.clone().into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    if inserted == 0 {
        let message = "the document stands in another person's verification";
        return Err(Error::rejected(Reason::DocumentKnown, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::harness::{CONTACT, Harness, NUMBER, reason, submission, violations};

    #[tokio::test]
    async fn the_user_waits_for_staff_and_sees_no_number() {
        let harness = Harness::new().await;
        let caller = harness.applicant(CONTACT).await;
        let answer = harness.submit(&caller, NUMBER).await.unwrap();
        let verification = answer.verification.unwrap();
        assert_eq!(verification.state(), VerificationState::Pending);
        assert_eq!(verification.document_number, "");
        assert_eq!(verification.applicant, None);
        assert_eq!(verification.documents.len(), 1);
        assert_eq!(harness.status(&caller).await, UserStatus::PendingApproval);

        let again = harness.submit(&caller, NUMBER).await;
        assert_eq!(reason(again), Some(Reason::UserStatus));
    }

    #[tokio::test]
    async fn the_number_is_encrypted_at_rest() {
        let harness = Harness::new().await;
        let caller = harness.applicant(CONTACT).await;
        harness.submit(&caller, NUMBER).await.unwrap();
        let row = verification::Entity::visible_to(&caller).one(harness.app.store.read());
        let row = row.await.unwrap().unwrap();
        let bytes = NUMBER.as_bytes();
        let stored = &row.number_encrypted;
        assert!(!stored.windows(bytes.len()).any(|part| part == bytes));
        let keys = &harness.app.secrets.document;
        assert_eq!(row.document_number(keys).unwrap(), NUMBER);
        assert_eq!(row.commitment.len(), 32);

        let moved = verification::Model {
            id: Uuid::nil(),
            ..row
        };
        assert!(moved.document_number(keys).is_err());
    }

    #[tokio::test]
    async fn one_document_is_one_human() {
        let harness = Harness::new().await;
        let first = harness.applicant(CONTACT).await;
        let second = harness.applicant("other@example.org").await;
        harness.submit(&first, NUMBER).await.unwrap();
        let spelled = NUMBER.to_lowercase().replace('0', "0 ");
        let answer = harness.submit(&second, &spelled).await;
        assert_eq!(reason(answer), Some(Reason::DocumentKnown));
        assert_eq!(harness.status(&second).await, UserStatus::Registered);

        harness.deny(&first, "a photo is missing").await;
        assert_eq!(reason(harness.submit(&second, NUMBER).await), None);
        let answer = harness.submit(&first, NUMBER).await;
        assert_eq!(reason(answer), Some(Reason::DocumentKnown));
    }

    #[tokio::test]
    async fn foreign_uploads_are_not_found() {
        let harness = Harness::new().await;
        let owner = harness.applicant(CONTACT).await;
        let foreign = harness.documents(&owner).await;
        let caller = harness.applicant("other@example.org").await;
        let answer = harness
            .submit_message(&caller, submission(NUMBER, foreign))
            .await;
        assert_eq!(reason(answer), Some(Reason::NotFound));
        assert_eq!(harness.status(&caller).await, UserStatus::Registered);
    }

    #[tokio::test]
    async fn all_violations_are_told_at_once() {
        let harness = Harness::new().await;
        let caller = harness.applicant(CONTACT).await;
        let fields = [
            "document_type",
            "document_country",
            "document_number",
            "documents",
        ];
        let name = harness.documents(&caller).await.remove(0);
        for documents in [
            vec![],
            vec![name.clone(); 2],
            vec!["documents/1".to_owned()],
        ] {
            let message = SubmitVerificationRequest {
                document_type: 99,
                document_country: "XX".to_owned(),
                document_number: "--".to_owned(),
                documents,
            };
            let error = harness.submit_message(&caller, message).await.unwrap_err();
            assert_eq!(violations(error), fields);
        }
    }
}
