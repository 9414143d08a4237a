//! `Transfer`: sends coins. What is checked here is form and ownership; money,
//! status and receiver are for the intake and the ledger, so that a retry is
//! answered from the operation whatever has changed since.

use gx_contract::{account::AccountId, amount::Qirat};
use gx_proto::gx::{
    contract::v1::{self as contract, command::Body},
    operation::v1::{Operation, OperationType},
    wallet::v1::TransferRequest,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    fields::{parse_amount, parse_hold, parse_reference},
    query,
};
use crate::{
    app::App,
    audit,
    auth::{Caller, Context},
    directory::{AccountName, parse_account_id},
    error::{Error, Result, Violations},
    id::CommandId,
    outbox::{Acceptance, Submission, operation, request_digest},
};

/// The method under which a transfer is known, whether it comes alone or in a batch.
const METHOD: &str = "/gx.wallet.v1.WalletService/Transfer";

/// A transfer to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transfer {
    account: AccountId,
    payment: Payment,
}

/// A transfer without its sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Payment {
    pub(super) request_id: Uuid,
    pub(super) request_digest: [u8; 32],
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
        let payment = Payment::read(message, &mut violations);
        let transfer = account
            .zip(payment)
            .map(|(account, payment)| Self { account, payment });
        violations.finish(transfer)
    }
}

impl Transfer {
    pub(super) async fn handle(
        self,
        app: &App,
        caller: &Caller,
        context: &Context,
    ) -> Result<Operation> {
        let sender = query::payer(app, caller, &self.account).await?;
        let submission = self.payment.submission(&sender, caller, context);
        let operation = app.intake.submit(submission).await?;
        Ok(operation::to_proto(&operation, false))
    }
}

impl Payment {
    /// Reads all of a transfer but its sender.
    pub(super) fn read(mut message: TransferRequest, violations: &mut Violations) -> Option<Self> {
        // However the request_id is spelled, it names the same command.
        let request_id = std::mem::take(&mut message.request_id);
        let request_digest = request_digest(METHOD, &message);
        let request_id = Uuid::try_parse(&request_id).map_err(|_| "must be a UUID");
        let request_id = violations.take("request_id", request_id);
        let receiver = violations.take("receiver", AccountName::parse(&message.receiver));
        let amount = violations.take("amount_qirat", parse_amount(message.amount_qirat));
        let hold = parse_hold(message.amount_qirat, message.max_fee_qirat);
        let hold_qirat = violations.take("max_fee_qirat", hold);
        let reference = violations.take("reference", parse_reference(message.reference));
        Some(Self {
            request_id: request_id?,
            request_digest,
            receiver: receiver?,
            amount: amount?,
            max_fee: Qirat(message.max_fee_qirat),
            hold_qirat: hold_qirat?,
            reference: reference?,
        })
    }

    /// The command that sends it out of a wallet of the caller's.
    pub(super) fn submission(
        self,
        sender: &query::Payer,
        caller: &Caller,
        context: &Context,
    ) -> Submission {
        let owner = caller.user.owner();
        let id = CommandId::derive(&owner, self.request_id);
        let subject = operation::name(id.0);
        Submission {
            id,
            owner,
            request_id: self.request_id,
            request_digest: self.request_digest,
            kind: OperationType::Transfer,
            lane: sender.lane.clone(),
            body: self.body(sender),
            acceptance: Acceptance::Hold {
                account: sender.account.clone(),
                qirat: self.hold_qirat,
            },
            memo: Some(self.reference).filter(|reference| !reference.is_empty()),
            traceparent: context.traceparent.clone(),
            audit: audit::Entry::of_call(context, Some(caller.user), subject),
        }
    }

    fn body(&self, sender: &query::Payer) -> Body {
        let reference_digest = match self.reference.as_str() {
            "" => Vec::new(),
            reference => Sha256::digest(reference).to_vec(),
        };
        Body::Transfer(contract::Transfer {
            sender: sender.account.clone(),
            receiver: self.receiver.to_string(),
            amount_qirat: self.amount.get(),
            max_fee_qirat: self.max_fee.get(),
            reference_digest: reference_digest.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use gx_contract::amount::MAXIMUM_SUPPLY;
    use gx_proto::gx::{
        common::v1::Reason, contract::v1::AccountStatus, operation::v1::OperationState,
    };
    use sea_orm::{ActiveValue::Set, EntityTrait};

    use super::*;
    use crate::{fixture, wallet::entity::wallet};

    fn message(from: &AccountId, to: &AccountId, amount_qirat: u64) -> TransferRequest {
        TransferRequest {
            account: from.to_string(),
            request_id: "01890000-0000-7000-8000-000000000001".to_owned(),
            receiver: to.to_string(),
            amount_qirat,
            max_fee_qirat: 5,
            reference: "rent".to_owned(),
        }
    }

    async fn send(app: &App, caller: &Caller, message: &TransferRequest) -> Result<Operation> {
        let transfer = Transfer::try_from(message.clone())?;
        transfer
            .handle(app, caller, &fixture::context(METHOD))
            .await
    }

    #[test]
    fn all_violations_are_told_at_once() {
        let mut receiver = fixture::account(2).to_string();
        let swapped = if receiver.ends_with('0') { '1' } else { '0' };
        receiver.pop();
        receiver.push(swapped);
        let error = Transfer::try_from(TransferRequest {
            account: "SYSTEM_LOAN_POOL".to_owned(),
            request_id: "no uuid".to_owned(),
            receiver,
            amount_qirat: 0,
            max_fee_qirat: u64::MAX,
            reference: "x".repeat(141),
        })
        .unwrap_err();
        let fields = [
            "account",
            "request_id",
            "receiver",
            "amount_qirat",
            "max_fee_qirat",
            "reference",
        ];
        assert_eq!(fixture::violated(error), fields);
    }

    #[test]
    fn bounds_are_those_of_the_interface() {
        let supply = MAXIMUM_SUPPLY.get();
        for (amount, max_fee, field) in [
            (1, 0, None),
            (supply, 0, None),
            (supply - 1, 1, None),
            (supply, 1, Some("max_fee_qirat")),
            (supply + 1, 0, Some("amount_qirat")),
            (u64::MAX, 0, Some("amount_qirat")),
        ] {
            let request = TransferRequest {
                max_fee_qirat: max_fee,
                ..message(&fixture::account(1), &fixture::account(2), amount)
            };
            let fields = Transfer::try_from(request).map_or_else(fixture::violated, |_| Vec::new());
            assert_eq!(
                fields.first().map(String::as_str),
                field,
                "{amount} {max_fee}"
            );
            assert!(fields.len() < 2);
        }
    }

    #[tokio::test]
    async fn submission_holds_amount_and_fee_and_hides_the_reference() {
        let app = fixture::app().await;
        let (ann, bee) = (fixture::person(&app, 1, "DE").await, fixture::account(2));
        let request = message(&ann, &bee, 100);
        let mut nameless = request.clone();
        nameless.request_id.clear();
        let payment = Transfer::try_from(request).unwrap().payment;
        let caller = fixture::user(1);
        let sender = query::payer(&app, &caller, &ann).await;
        let submission = payment.submission(&sender.unwrap(), &caller, &fixture::context(METHOD));

        let Acceptance::Hold { account, qirat } = submission.acceptance else {
            panic!("no hold");
        };
        assert_eq!((account.as_str(), qirat), (ann.as_str(), 105));
        let Body::Transfer(body) = submission.body else {
            panic!("no transfer");
        };
        assert_eq!(body.reference_digest, Sha256::digest("rent").to_vec());
        assert_eq!(
            (body.sender, body.receiver),
            (ann.to_string(), bee.to_string())
        );
        assert_eq!(submission.memo.as_deref(), Some("rent"));
        assert_eq!(
            submission.id,
            CommandId::derive(&caller.user.owner(), submission.request_id)
        );
        assert_eq!(
            (submission.request_digest, submission.lane),
            (
                request_digest(METHOD, &nameless),
                fixture::lane_of(ann.as_str())
            )
        );
    }

    #[tokio::test]
    async fn retry_is_answered_whatever_has_changed_since() {
        let app = fixture::app().await;
        let (ann, bee) = (fixture::person(&app, 1, "DE").await, fixture::account(2));
        fixture::post(&app, &[fixture::posting(1, 0, ann.as_str(), 150, "")]).await;
        let request = message(&ann, &bee, 100);
        let first = send(&app, &fixture::user(1), &request).await.unwrap();
        assert_eq!(first.state(), OperationState::Accepted);

        fixture::change::<wallet::Entity>(&app, ann.as_str(), |row| {
            row.status = Set(AccountStatus::Frozen.into());
        })
        .await;
        assert_eq!(
            send(&app, &fixture::user(1), &request).await.unwrap(),
            first
        );
        let row = wallet::Entity::find_by_id(ann.as_str())
            .one(app.store.read())
            .await;
        assert_eq!(row.unwrap().unwrap().reserved_qirat, 105);

        let other = TransferRequest {
            amount_qirat: 99,
            ..request
        };
        let error = send(&app, &fixture::user(1), &other).await.unwrap_err();
        assert_eq!(error.reason(), Reason::RequestIdReused);
    }

    #[tokio::test]
    async fn transfer_beyond_the_balance_is_an_operation_refused() {
        let app = fixture::app().await;
        let ann = fixture::person(&app, 1, "DE").await;
        let request = message(&ann, &fixture::account(2), 100);
        let operation = send(&app, &fixture::user(1), &request).await.unwrap();
        assert_eq!(operation.state(), OperationState::Refused);
    }

    #[tokio::test]
    async fn nobody_sends_from_a_stranger_s_wallet() {
        let app = fixture::app().await;
        let ann = fixture::person(&app, 1, "DE").await;
        for account in [ann, fixture::account(9)] {
            for caller in [fixture::user(2), fixture::auditor()] {
                let request = message(&account, &fixture::account(2), 1);
                let error = send(&app, &caller, &request).await.unwrap_err();
                let expected = Error::not_found(format!("wallets/{account}"));
                assert_eq!(error.to_string(), expected.to_string());
            }
        }
    }
}
