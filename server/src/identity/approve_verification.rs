//! Approves a pending verification: the person's account is asked of the ledger.
//! Form and existence alone are checked here; whether the verification is pending
//! is for acceptance, so that a retry is answered from its operation whatever has
//! changed since.

mod approval;

use std::sync::Arc;

use gx_contract::{account::AccountId, lane};
use gx_proto::gx::{
    contract::v1::{CreateAccount, command::Body},
    identity::v1::ApproveVerificationRequest,
    operation::v1::{Operation, OperationType},
};
use sea_orm::entity::prelude::*;
use time::Date;

use super::{
    entity::{user, verification},
    names, person,
};
use crate::{
    app::App,
    audit,
    auth::{Caller, Context},
    error::{Error, Result, Violations},
    id::CommandId,
    outbox::{Acceptance, Submission, operation},
    secrets::Secrets,
};
use approval::Approval;

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

#[cfg(test)]
mod tests;
