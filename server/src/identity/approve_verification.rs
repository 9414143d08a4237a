//! Approves a pending verification: the person's account is asked of the ledger.
//! Form and existence alone are checked here; whether the verification is pending
//! is for acceptance, so that a retry is answered from its operation whatever has
//! changed since.

use std::sync::Arc;

use async_trait::async_trait;
use gx_contract::{account::AccountId, lane};
use gx_proto::gx::{
    common::v1::Reason,
    contract::v1::{CreateAccount, command::Body},
    identity::v1::{ApproveVerificationRequest, UserStatus, VerificationState},
    operation::v1::{Operation, OperationType},
};
use sea_orm::{DatabaseTransaction, IntoActiveModel, Set, entity::prelude::*};
use time::Date;

use super::{
    entity::{user, verification},
    names, person,
};
use crate::{
    app::App,
    audit,
    auth::{Caller, Context},
    directory,
    error::{Error, Result, Violations},
    id::CommandId,
    outbox::{Accept, Acceptance, Refusal, Submission, operation},
    secrets::Secrets,
};

/// The ages that are granted, on the day of approval.
const GRANTED_AGES: std::ops::RangeInclusive<i32> = 13..=73;

/// A verification to approve.
#[derive(Debug)]
pub(super) struct ApproveVerification {
    verification: Uuid,
    request_id: Uuid,
}

impl TryFrom<ApproveVerificationRequest> for ApproveVerification {
    type Error = Error;

    fn try_from(message: ApproveVerificationRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let name = names::parse(names::VERIFICATIONS, &message.name);
        let verification = violations.take("name", name);
        let request_id = Uuid::try_parse(&message.request_id).map_err(|_| "must be a UUID");
        let request_id = violations.take("request_id", request_id);
        let both = verification.zip(request_id);
        violations.finish(both.map(|(verification, request_id)| Self {
            verification,
            request_id,
        }))
    }
}

impl ApproveVerification {
    pub(super) async fn handle(
        self,
        app: &App,
        caller: &Caller,
        context: &Context,
        request_digest: [u8; 32],
    ) -> Result<Operation> {
        let db = app.store.read();
        let row = verification::Entity::readable(db, caller, self.verification).await?;
        row.may_be_decided_by(caller)?;
        let applicant = user::Entity::readable(db, caller, row.user_id).await?;
        let submission = self.submission(app, caller, context, request_digest, &row, &applicant)?;
        let operation = app.intake.submit(submission).await?;
        Ok(operation::to_proto(&operation, false))
    }

    fn submission(
        self,
        app: &App,
        caller: &Caller,
        context: &Context,
        request_digest: [u8; 32],
        row: &verification::Model,
        applicant: &user::Model,
    ) -> Result<Submission> {
        let now_ms = app.clock.now_ms();
        let owner = caller.user.owner();
        let id = CommandId::derive(&owner, self.request_id);
        let account = account_of(&app.secrets, id);
        let country = applicant.nationality.as_str();
        Ok(Submission {
            id,
            owner,
            request_id: self.request_id,
            request_digest,
            kind: OperationType::CreateAccount,
            lane: lane::of_country(country, app.topology.partner_lanes).to_string(),
            body: Body::CreateAccount(CreateAccount {
                account: account.to_string(),
                country: country.to_owned(),
                commitment: row.commitment.clone().into(),
                grant_eligible: is_granted(applicant, person::day(now_ms))?,
            }),
            acceptance: Acceptance::Service(Arc::new(Approval {
                caller: caller.clone(),
                verification: row.id,
                account,
                now_ms,
            })),
            memo: None,
            traceparent: context.traceparent.clone(),
            audit: audit::Entry::of_call(context, Some(caller.user), row.name()),
        })
    }
}

/// The account that a command opens: the same at every retry, and known to nobody
/// beforehand.
fn account_of(secrets: &Secrets, command: CommandId) -> AccountId {
    let mac = secrets.account.mac("account", &[&command.bytes()]);
    let mut bits = [0; 10];
    bits.copy_from_slice(&mac[..10]);
    AccountId::from_bits(bits)
}

fn is_granted(applicant: &user::Model, today: Date) -> Result<bool> {
    let birth = person::date(&applicant.birth_date);
    let birth = birth.ok_or_else(|| anyhow::anyhow!("{} has no birth date", applicant.id))?;
    Ok(GRANTED_AGES.contains(&person::age(birth, today)))
}

/// What an approval changes when its command is accepted.
#[derive(Debug)]
struct Approval {
    caller: Caller,
    verification: Uuid,
    account: AccountId,
    now_ms: i64,
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

#[cfg(test)]
mod tests {
    use gx_proto::gx::{
        contract::v1::Command,
        identity::v1::Role,
        operation::v1::{OperationState, operation::Result::Error as Refused},
    };
    use prost::Message;
    use time::macros::date;
    use tonic_types::pb::ErrorInfo;

    use super::*;
    use crate::{
        identity::{
            harness::{CONTACT, Harness, NUMBER, reason, violations},
            projection,
        },
        outbox::{entity::row, request_digest},
    };

    const DIGESTED: &str = "/gx.identity.v1.IdentityService/ApproveVerification";

    async fn approve(
        harness: &Harness,
        staff: &Caller,
        name: &str,
        request: u128,
    ) -> Result<Operation> {
        let message = ApproveVerificationRequest {
            name: name.to_owned(),
            request_id: Uuid::from_u128(request).to_string(),
        };
        let digest = request_digest(DIGESTED, &message);
        ApproveVerification::try_from(message)?
            .handle(&harness.app, staff, &harness.context, digest)
            .await
    }

    /// A person who waits for staff, and the verification.
    async fn pending(harness: &Harness) -> (Caller, String) {
        let caller = harness.applicant(CONTACT).await;
        let answer = harness.submit(&caller, NUMBER).await.unwrap();
        (caller, answer.verification.unwrap().name)
    }

    /// What the ledger is asked for, in the order of asking.
    async fn asked(harness: &Harness) -> Vec<(String, CreateAccount)> {
        let rows = row::Entity::find().all(harness.app.store.read());
        let rows = rows.await.unwrap().into_iter();
        rows.map(|row| match Command::decode(&*row.body).unwrap().body {
            Some(Body::CreateAccount(body)) => (row.lane, body),
            other => panic!("{other:?}"),
        })
        .collect()
    }

    /// The reason of a refusal, and the state that it names.
    fn refusal(operation: &Operation) -> (String, String) {
        assert_eq!(operation.state(), OperationState::Refused);
        let Some(Refused(error)) = &operation.result else {
            panic!("{operation:?}")
        };
        let mut info = ErrorInfo::decode(&*error.details[0].value).unwrap();
        (info.reason, info.metadata.remove("state").unwrap())
    }

    async fn account_opened(harness: &Harness, account: &str) {
        let tx = harness.app.store.begin().await.unwrap();
        projection::account_opened_in(&tx, account).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn account_refused(harness: &Harness, operation: Uuid) {
        let tx = harness.app.store.begin().await.unwrap();
        let refused = projection::account_refused_in(&tx, operation, "KNOWN_COMMITMENT");
        refused.await.unwrap();
        tx.commit().await.unwrap();
    }

    #[tokio::test]
    async fn the_ledger_is_asked_for_one_account_however_often_it_is_sent() {
        let harness = Harness::new().await;
        let staff = harness.staff().await;
        let (person, name) = pending(&harness).await;
        let first = approve(&harness, &staff, &name, 1).await.unwrap();
        assert_eq!(first.state(), OperationState::Accepted);
        assert_eq!(harness.status(&person).await, UserStatus::Approved);
        let account = harness.me(&person).await.account;
        assert_eq!(account, "", "not before it is open");
        assert_eq!(approve(&harness, &staff, &name, 1).await.unwrap(), first);

        let asked = asked(&harness).await;
        let [(lane, body)] = &asked[..] else {
            panic!("{asked:?}")
        };
        assert!(AccountId::is_canonical(&body.account));
        assert_eq!((body.country.as_str(), body.grant_eligible), ("DE", true));
        assert_eq!(body.commitment.len(), 32);
        let lanes = harness.app.topology.partner_lanes;
        assert_eq!(*lane, lane::of_country("DE", lanes).to_string());
        let listed = directory::lookup(harness.app.store.read(), [body.account.as_str()]).await;
        assert_eq!(listed.unwrap()[&body.account].masked_name, "G*** F***");
    }

    #[tokio::test]
    async fn a_second_approval_is_refused_and_says_why() {
        let harness = Harness::new().await;
        let staff = harness.staff().await;
        let (_, name) = pending(&harness).await;
        approve(&harness, &staff, &name, 1).await.unwrap();
        let second = approve(&harness, &staff, &name, 2).await.unwrap();
        assert_eq!(
            refusal(&second),
            ("VERIFICATION_STATE".into(), "APPROVED".into())
        );
        assert_eq!(asked(&harness).await.len(), 1);
    }

    #[tokio::test]
    async fn a_denied_verification_is_not_approved() {
        let harness = Harness::new().await;
        let staff = harness.staff().await;
        let (person, name) = pending(&harness).await;
        harness.deny(&person, "a photo is missing").await;
        let refused = approve(&harness, &staff, &name, 1).await.unwrap();
        assert_eq!(
            refusal(&refused),
            ("VERIFICATION_STATE".into(), "DENIED".into())
        );
        assert_eq!(harness.status(&person).await, UserStatus::Denied);
        assert_eq!(asked(&harness).await, []);
    }

    #[tokio::test]
    async fn an_admin_who_is_a_person_too_does_not_approve_the_own_verification() {
        let harness = Harness::new().await;
        let (person, name) = pending(&harness).await;
        let roles = vec![Role::User, Role::Admin];
        let both = Caller { roles, ..person };
        let answer = approve(&harness, &both, &name, 1).await;
        assert_eq!(reason(answer), Some(Reason::OwnVerification));
        assert_eq!(harness.status(&both).await, UserStatus::PendingApproval);
        assert_eq!(asked(&harness).await, []);
        let staff = harness.staff().await;
        approve(&harness, &staff, &name, 1).await.unwrap();
    }

    #[tokio::test]
    async fn a_request_id_names_one_approval() {
        let harness = Harness::new().await;
        let staff = harness.staff().await;
        let (_, name) = pending(&harness).await;
        let other = harness.applicant("other@example.org").await;
        let other = harness.submit(&other, "ANOTHER NUMBER").await.unwrap();
        let other = other.verification.unwrap().name;
        approve(&harness, &staff, &name, 1).await.unwrap();
        let answer = approve(&harness, &staff, &other, 1).await;
        assert_eq!(reason(answer), Some(Reason::RequestIdReused));
        let unknown = names::name(names::VERIFICATIONS, Uuid::nil());
        let answer = approve(&harness, &staff, &unknown, 2).await;
        assert_eq!(reason(answer), Some(Reason::NotFound));
    }

    #[tokio::test]
    async fn the_person_is_active_once_the_account_is_open() {
        let harness = Harness::new().await;
        let staff = harness.staff().await;
        let (person, name) = pending(&harness).await;
        approve(&harness, &staff, &name, 1).await.unwrap();
        let account = asked(&harness).await.remove(0).1.account;
        account_opened(&harness, &account).await;
        let me = harness.me(&person).await;
        assert_eq!((me.status(), &me.account), (UserStatus::Active, &account));

        // A replay of the chain does not thaw anybody.
        harness.set_status(CONTACT, UserStatus::Frozen).await;
        account_opened(&harness, &account).await;
        assert_eq!(harness.status(&person).await, UserStatus::Frozen);
    }

    #[tokio::test]
    async fn a_refused_account_brings_the_person_back_to_staff() {
        let harness = Harness::new().await;
        let staff = harness.staff().await;
        let (person, name) = pending(&harness).await;
        let first = approve(&harness, &staff, &name, 1).await.unwrap();
        account_refused(&harness, Uuid::nil()).await;
        assert_eq!(harness.status(&person).await, UserStatus::Approved);
        account_refused(&harness, operation::parse_name(&first.name).unwrap()).await;
        assert_eq!(harness.status(&person).await, UserStatus::PendingApproval);
        let told = harness.verification(&staff, &name).await.unwrap();
        assert_eq!(told.state(), VerificationState::Pending);
        assert_eq!(told.reason, "KNOWN_COMMITMENT");
        assert_eq!((told.operation.as_str(), told.decide_time), ("", None));

        let second = approve(&harness, &staff, &name, 2).await.unwrap();
        assert_eq!(second.state(), OperationState::Accepted);
        let asked = asked(&harness).await;
        assert_ne!(asked[0].1.account, asked[1].1.account);
    }

    #[tokio::test]
    async fn ages_from_13_to_73_are_granted() {
        let harness = Harness::new().await;
        let (person, _) = pending(&harness).await;
        let db = harness.app.store.read();
        let mut applicant = user::Entity::own(db, &person).await.unwrap();
        for (birth_date, granted) in [
            ("2013-05-17", false),
            ("2013-05-16", true),
            ("1952-05-17", true),
            ("1952-05-16", false),
        ] {
            applicant.birth_date = birth_date.to_owned();
            let told = is_granted(&applicant, date!(2026 - 05 - 16)).unwrap();
            assert_eq!(told, granted, "{birth_date}");
        }
    }

    #[tokio::test]
    async fn all_violations_are_told_at_once() {
        let message = ApproveVerificationRequest::default();
        let error = ApproveVerification::try_from(message).unwrap_err();
        assert_eq!(violations(error), ["name", "request_id"]);
    }
}
