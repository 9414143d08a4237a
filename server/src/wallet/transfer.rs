//! `Transfer`: sends coins. What is checked here is form and ownership; money,
//! status and receiver are for the intake and the ledger, so that a retry is
//! answered from the operation whatever has changed since.

use gx_contract::{
    account::AccountId,
    amount::{MAXIMUM_SUPPLY, Qirat},
};
use gx_proto::gx::{
    contract::v1::{self as contract, command::Body},
    operation::v1::{Operation, OperationType},
    wallet::v1::TransferRequest,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::entity::wallet;
use crate::{
    app::App,
    audit,
    auth::{Caller, Context},
    directory::{AccountName, parse_account_id},
    error::{Error, Result, Violations},
    id::CommandId,
    outbox::{Acceptance, Submission, operation},
};

/// The most characters of a reference.
const REFERENCE_CHARACTERS_MAX: usize = 140;

/// A transfer to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transfer {
    account: AccountId,
    request_id: Uuid,
    receiver: AccountName,
    amount: Qirat,
    max_fee: Qirat,
    hold_qirat: i64,
    reference: String,
}

impl TryFrom<TransferRequest> for Transfer {
    type Error = Error;

    fn try_from(message: TransferRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let account = violations.take("account", parse_account_id(&message.account));
        let request_id = Uuid::try_parse(&message.request_id).map_err(|_| "must be a UUID");
        let request_id = violations.take("request_id", request_id);
        let receiver = violations.take("receiver", AccountName::parse(&message.receiver));
        let amount = violations.take("amount_qirat", parse_amount(message.amount_qirat));
        let hold = parse_hold(message.amount_qirat, message.max_fee_qirat);
        let hold_qirat = violations.take("max_fee_qirat", hold);
        let reference = violations.take("reference", parse_reference(message.reference));
        let transfer = || {
            Some(Self {
                account: account?,
                request_id: request_id?,
                receiver: receiver?,
                amount: amount?,
                max_fee: Qirat(message.max_fee_qirat),
                hold_qirat: hold_qirat?,
                reference: reference?,
            })
        };
        violations.finish(transfer())
    }
}

impl Transfer {
    pub(super) async fn handle(
        self,
        app: &App,
        caller: &Caller,
        context: &Context,
        request_digest: [u8; 32],
    ) -> Result<Operation> {
        let wallet = wallet::Entity::own(app.store.read(), caller, &self.account).await?;
        let submission = self.submission(caller, context, request_digest, wallet.lane);
        let operation = app.intake.submit(submission).await?;
        Ok(operation::to_proto(&operation, false))
    }

    fn submission(
        self,
        caller: &Caller,
        context: &Context,
        request_digest: [u8; 32],
        lane: String,
    ) -> Submission {
        let owner = caller.user.owner();
        let id = CommandId::derive(&owner, self.request_id);
        let subject = operation::name(id.0);
        Submission {
            id,
            owner,
            request_id: self.request_id,
            request_digest,
            kind: OperationType::Transfer,
            lane,
            body: self.body(),
            acceptance: Acceptance::Hold {
                account: self.account.to_string(),
                qirat: self.hold_qirat,
            },
            memo: Some(self.reference).filter(|reference| !reference.is_empty()),
            traceparent: context.traceparent.clone(),
            audit: audit::Entry::of_call(context, Some(caller.user), subject),
        }
    }

    fn body(&self) -> Body {
        let reference_digest = match self.reference.as_str() {
            "" => Vec::new(),
            reference => Sha256::digest(reference).to_vec(),
        };
        Body::Transfer(contract::Transfer {
            sender: self.account.to_string(),
            receiver: self.receiver.to_string(),
            amount_qirat: self.amount.get(),
            max_fee_qirat: self.max_fee.get(),
            reference_digest: reference_digest.into(),
        })
    }
}

/// An amount that there can be.
pub(super) fn parse_amount(qirat: u64) -> Result<Qirat, &'static str> {
    match Qirat(qirat) {
        Qirat::ZERO => Err("must be greater than 0"),
        amount if amount > MAXIMUM_SUPPLY => Err("must be at most 1250000000000000000"),
        amount => Ok(amount),
    }
}

/// What is held for amount and greatest fee. An amount that is too great itself is
/// told under its own field.
fn parse_hold(amount: u64, max_fee: u64) -> Result<i64, &'static str> {
    let amount = Qirat(amount).min(MAXIMUM_SUPPLY);
    amount
        .checked_add(Qirat(max_fee))
        .filter(|hold| *hold <= MAXIMUM_SUPPLY)
        .and_then(Qirat::to_signed)
        .ok_or("must be at most 1250000000000000000 together with amount_qirat")
}

fn parse_reference(text: String) -> Result<String, &'static str> {
    if text.chars().count() > REFERENCE_CHARACTERS_MAX {
        Err("must be at most 140 characters")
    } else if text.chars().any(char::is_control) {
        Err("must not contain control characters")
    } else {
        Ok(text)
    }
}
