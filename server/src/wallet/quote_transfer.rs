//! `QuoteTransfer`: what a transfer would cost now, by the ledger's own fee
//! engine.

use gx_contract::{
    account::AccountId,
    amount::Qirat,
    fees::{FeeTable, Quote},
};
use gx_proto::gx::wallet::v1::{Counterparty, QuoteTransferRequest, QuoteTransferResponse};

use super::{entity::wallet, proto, transfer::parse_amount};
use crate::{
    app::App,
    auth::Caller,
    directory::{self, AccountName, parse_account_id},
    error::{Error, Result, Violations},
};

/// A transfer to price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QuoteTransfer {
    account: AccountId,
    receiver: AccountName,
    amount: Qirat,
}

impl TryFrom<QuoteTransferRequest> for QuoteTransfer {
    type Error = Error;

    fn try_from(message: QuoteTransferRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let account = violations.take("account", parse_account_id(&message.account));
        let receiver = violations.take("receiver", AccountName::parse(&message.receiver));
        let amount = violations.take("amount_qirat", parse_amount(message.amount_qirat));
        let quote = || {
            Some(Self {
                account: account?,
                receiver: receiver?,
                amount: amount?,
            })
        };
        violations.finish(quote())
    }
}

impl QuoteTransfer {
    pub(super) async fn handle(self, app: &App, caller: &Caller) -> Result<QuoteTransferResponse> {
        let tx = app.store.snapshot().await?;
        let sender = wallet::Entity::own(&tx, caller, &self.account).await?;
        let receiver = self.receiver.as_str();
        let listing = directory::lookup(&tx, [receiver])
            .await?
            .remove(receiver)
            .filter(|listing| listing.opened)
            .ok_or_else(|| Error::not_found(format!("accounts/{receiver}")))?;
        let quote = FeeTable::default().quote(
            self.amount,
            (sender.account_type(), &sender.country),
            (listing.account_type, &listing.country),
        );
        Ok(answer(
            self.amount,
            quote,
            proto::counterparty(receiver, Some(&listing)),
        ))
    }
}

fn answer(amount: Qirat, quote: Quote, receiver: Counterparty) -> QuoteTransferResponse {
    QuoteTransferResponse {
        fee_qirat: quote.fee.get(),
        total_qirat: amount.get() + quote.fee.get(),
        receiver_gets_qirat: amount.get(),
        basis_points: quote.basis_points,
        cross_border: quote.cross_border,
        receiver: Some(receiver),
    }
}
