//! `BatchTransfer`: many transfers out of one wallet, each the command that
//! `Transfer` would make of it, put into the intake together.

use std::collections::HashMap;

use gx_contract::account::AccountId;
use gx_proto::gx::wallet::v1::{
    BatchTransferRequest, BatchTransferResponse, BatchedTransfer, BatchedTransferResult,
    TransferRequest, batched_transfer_result,
};

use super::{query, transfer::Payment};
use crate::{
    app::App,
    audit,
    auth::{Caller, Context},
    directory::parse_account_id,
    error::{self, Error, Result, Violations},
    outbox::operation,
};

/// The most transfers of one batch.
const TRANSFERS_MAX: usize = 500;

/// Transfers to make from one wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BatchTransfer {
    account: AccountId,
    payments: Vec<Payment>,
}

impl TryFrom<BatchTransferRequest> for BatchTransfer {
    type Error = Error;

    fn try_from(message: BatchTransferRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let account = violations.take("account", parse_account_id(&message.account));
        let count = message.transfers.len();
        let fits = (1..=TRANSFERS_MAX).contains(&count);
        violations.require("transfers", fits, "must be 1 to 500 transfers");
        let payments = fits.then(|| read(message, &mut violations));
        let batch = account
            .zip(payments)
            .map(|(account, payments)| Self { account, payments });
        violations.finish(batch)
    }
}

/// Reads the transfers, and finds those that name two by one request_id.
fn read(message: BatchTransferRequest, violations: &mut Violations) -> Vec<Payment> {
    let mut digests = HashMap::new();
    let mut payments = Vec::with_capacity(message.transfers.len());
    for (place, transfer) in message.transfers.into_iter().enumerate() {
        let mut own = Violations::default();
        let payment = Payment::read(alone(&message.account, transfer), &mut own);
        if let Some(payment) = payment {
            let digest = payment.request_digest;
            let first = *digests.entry(payment.request_id).or_insert(digest);
            let same = "must not be that of another transfer of the batch";
            own.require("request_id", first == digest, same);
            payments.push(payment);
        }
        violations.add_within(&format!("transfers[{place}]"), own);
    }
    payments
}

/// A transfer of the batch as it would be asked for alone.
fn alone(account: &str, transfer: BatchedTransfer) -> TransferRequest {
    TransferRequest {
        account: account.to_owned(),
        request_id: transfer.request_id,
        receiver: transfer.receiver,
        amount_qirat: transfer.amount_qirat,
        max_fee_qirat: transfer.max_fee_qirat,
        reference: transfer.reference,
    }
}

impl BatchTransfer {
    /// What the call is about.
    pub(super) fn subject(&self) -> String {
        format!("wallets/{}", self.account)
    }

    pub(super) async fn handle(
        self,
        app: &App,
        caller: &Caller,
        context: &Context,
    ) -> Result<BatchTransferResponse> {
        let sender = query::payer(app, caller, &self.account).await?;
        let payments = self.payments.into_iter();
        let submissions: Vec<_> = payments
            .map(|payment| payment.submission(&sender, caller, context))
            .collect();
        let audits: Vec<_> = submissions.iter().map(|one| one.audit.clone()).collect();
        let answers = app.intake.submit_batch(caller.user, submissions).await?;
        let answers = answers.into_iter().zip(audits);
        let results = answers.map(|(answer, audit)| BatchedTransferResult {
            result: Some(match answer {
                Ok(row) => {
                    batched_transfer_result::Result::Operation(operation::to_proto(&row, false))
                }
                Err(error) => not_taken(app, error, audit),
            }),
        });
        Ok(BatchTransferResponse {
            results: results.collect(),
        })
    }
}

/// One that has no operation, with the line of the audit log that nobody else writes.
fn not_taken(app: &App, error: Error, audit: audit::Entry) -> batched_transfer_result::Result {
    let outcome = error::reason_name(error.reason()).to_owned();
    app.trail
        .record(app.clock.now_ms(), audit::Entry { outcome, ..audit });
    batched_transfer_result::Result::Error(error::within_answer(error))
}

#[cfg(test)]
mod tests;
