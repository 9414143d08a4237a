//! A command's outcome on the chain, as its operation shows it.

use anyhow::{Result, anyhow};
use gx_proto::gx::{
    common::v1::Reason,
    contract::v1::{CommandOutcome, CommandRefusal, Done, Refused, command_outcome, done},
    operation::v1::{
        CreateAccountResult, OperationResult, OperationType, TransferResult, operation_result,
    },
};
use uuid::Uuid;

use crate::outbox::{
    Refusal,
    settle::{Outcome, Settled},
};

/// What a block says of one command.
pub(super) fn settled(
    command: &CommandOutcome,
    lane: &str,
    number: i64,
    tx_id: &str,
    block: i64,
) -> Result<Settled> {
    let (kind, outcome) = match &command.outcome {
        Some(command_outcome::Outcome::Done(done)) => {
            let (kind, result) = done_result(done);
            (kind, Outcome::Done(result))
        }
        Some(command_outcome::Outcome::Refused(refused)) => (
            OperationType::Unspecified,
            Outcome::Refused(refusal(refused)),
        ),
        Some(command_outcome::Outcome::Voided(_)) => (OperationType::Unspecified, Outcome::Voided),
        None => {
            return Err(anyhow!(
                "command {number} has no outcome that this version knows"
            ));
        }
    };
    Ok(Settled {
        id: Uuid::from_slice(&command.id)?,
        request_digest: command.request_digest.to_vec(),
        kind,
        outcome,
        lane: lane.to_owned(),
        number,
        fabric_tx_id: tx_id.to_owned(),
        block,
    })
}

fn done_result(done: &Done) -> (OperationType, OperationResult) {
    let (kind, result) = match &done.fact {
        Some(done::Fact::Transferred(fact)) => (
            OperationType::Transfer,
            Some(operation_result::Result::Transfer(TransferResult {
                sender: fact.sender.clone(),
                receiver: fact.receiver.clone(),
                amount_qirat: fact.amount_qirat,
                fee_qirat: fact.fee_qirat,
            })),
        ),
        Some(done::Fact::AccountCreated(fact)) => (
            OperationType::CreateAccount,
            Some(operation_result::Result::CreateAccount(
                CreateAccountResult {
                    account: fact.account.clone(),
                    grant_qirat: fact.grant_qirat,
                    phase: fact.phase,
                },
            )),
        ),
        Some(done::Fact::Bootstrapped(_)) => (OperationType::Bootstrap, None),
        Some(done::Fact::CountriesLoaded(_)) => (OperationType::LoadCountries, None),
        Some(done::Fact::AccountFolded(_)) => (OperationType::Fold, None),
        None => (OperationType::Unspecified, None),
    };
    (kind, OperationResult { result })
}

/// The chain's refusal in the API's words.
fn refusal(refused: &Refused) -> Refusal {
    match refused.reason() {
        CommandRefusal::InsufficientFunds => Refusal::new(Reason::InsufficientFunds),
        CommandRefusal::FeeChanged => {
            Refusal::new(Reason::FeeChanged).with("fee_qirat", refused.fee_qirat.to_string())
        }
        CommandRefusal::SelfTransfer => Refusal::new(Reason::SelfTransfer),
        CommandRefusal::SenderNotActive => Refusal::new(Reason::SenderNotActive),
        CommandRefusal::ReceiverNotActive => Refusal::new(Reason::ReceiverNotActive),
        CommandRefusal::UnknownReceiver => Refusal::new(Reason::UnknownReceiver),
        CommandRefusal::KnownCommitment => {
            Refusal::new(Reason::KnownCommitment).with("account", refused.account.clone())
        }
        other => {
            let name = other.as_str_name();
            let name = name.strip_prefix("COMMAND_REFUSAL_").unwrap_or(name);
            Refusal::new(Reason::ChainRefused).with("refusal", name)
        }
    }
}
