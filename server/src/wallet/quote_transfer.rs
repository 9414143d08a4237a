//! `QuoteTransfer`: what a transfer would cost now, by the ledger's own fee
//! engine.

use gx_contract::{
    account::AccountId,
    amount::Qirat,
    fees::{FeeTable, Quote},
};
use gx_proto::gx::wallet::v1::{Counterparty, QuoteTransferRequest, QuoteTransferResponse};

use super::{entity::wallet, fields::parse_amount, proto};
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
    /// What it is about, for the audit log.
    pub(super) fn subject(&self) -> String {
        format!("wallets/{}", self.account.as_str())
    }

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

#[cfg(test)]
mod tests {
    use gx_contract::amount::MAXIMUM_SUPPLY;
    use gx_proto::gx::{
        common::v1::Reason,
        contract::v1::AccountType::{Business, Government, Person, System},
    };

    use super::*;
    use crate::fixture;

    fn quote(account: &str, receiver: &str, amount_qirat: u64) -> QuoteTransfer {
        QuoteTransfer::try_from(QuoteTransferRequest {
            account: account.to_owned(),
            receiver: receiver.to_owned(),
            amount_qirat,
        })
        .unwrap()
    }

    #[tokio::test]
    async fn quote_is_the_contract_s_fee() {
        let app = fixture::app().await;
        let sender = fixture::person(&app, 1, "DE").await;
        for (number, receiver, country) in [
            (2, Person, "DE"),
            (3, Person, "FR"),
            (4, Business, "FR"),
            (5, Government, "DE"),
        ] {
            let account = fixture::organization(&app, number, receiver, country).await;
            for amount in [1, 2_999_999, 3_000_000, 100_000_001, MAXIMUM_SUPPLY.get()] {
                let told = quote(sender.as_str(), account.as_str(), amount);
                let told = told.handle(&app, &fixture::user(1)).await.unwrap();
                let charged =
                    FeeTable::default().quote(Qirat(amount), (Person, "DE"), (receiver, country));
                assert_eq!(
                    (told.fee_qirat, told.basis_points),
                    (charged.fee.get(), charged.basis_points)
                );
                assert_eq!(told.cross_border, country != "DE");
                assert_eq!(
                    (told.receiver_gets_qirat, told.total_qirat),
                    (amount, amount + charged.fee.get())
                );
            }
        }
    }

    #[tokio::test]
    async fn receiver_is_shown_as_far_as_may_be() {
        let app = fixture::app().await;
        let sender = fixture::person(&app, 1, "DE").await;
        let receiver = fixture::person(&app, 2, "DE").await;
        let pool = "SYSTEM_CHARITABLE_POOL";
        fixture::open(&app, pool, System, "").await;
        for (account, name) in [(receiver.as_str(), "A*** B***"), (pool, pool)] {
            let told = quote(sender.as_str(), account, 1)
                .handle(&app, &fixture::user(1))
                .await;
            assert_eq!(told.unwrap().receiver.unwrap().masked_name, name);
        }
    }

    #[tokio::test]
    async fn unknown_receivers_and_strangers_senders_are_not_found() {
        let app = fixture::app().await;
        let (ann, bee) = (
            fixture::person(&app, 1, "DE").await,
            fixture::person(&app, 2, "DE").await,
        );
        let claimed = fixture::account(3);
        let tx = app.store.begin().await.unwrap();
        directory::claim_in(&tx, claimed.as_str(), fixture::user(3).user, "C***", "DE")
            .await
            .unwrap();
        tx.commit().await.unwrap();

        let cases = [
            (quote(ann.as_str(), claimed.as_str(), 1), fixture::user(1)),
            (quote(ann.as_str(), "TREASURY_ZZ", 1), fixture::user(1)),
            (quote(bee.as_str(), ann.as_str(), 1), fixture::user(1)),
            (quote(ann.as_str(), bee.as_str(), 1), fixture::auditor()),
        ];
        for (quote, caller) in cases {
            let error = quote.clone().handle(&app, &caller).await.unwrap_err();
            assert_eq!(error.reason(), Reason::NotFound, "{quote:?}");
        }
    }

    #[test]
    fn all_violations_are_told_at_once() {
        let error = QuoteTransfer::try_from(QuoteTransferRequest::default()).unwrap_err();
        assert_eq!(
            fixture::violated(error),
            ["account", "receiver", "amount_qirat"]
        );
    }
}
