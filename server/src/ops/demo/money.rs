//! A payment between two people, and what both see of it.

use anyhow::{Context as _, bail, ensure};
use gx_proto::gx::wallet::v1::{
    Entry, GetWalletRequest, ListEntriesRequest, QuoteTransferRequest, QuoteTransferResponse,
    TransferRequest,
};

use crate::{
    id::random_uuid,
    ops::{
        caller::{Api, Person, call},
        table::Qirat,
    },
};

/// A payment, quoted and then made.
#[derive(Debug)]
pub(super) struct Payment {
    amount_qirat: u64,
    quote: QuoteTransferResponse,
    /// The block that it is in, once it is settled.
    pub(super) block: u64,
}

impl Payment {
    /// Asks what a quarter of the sender's grant would cost to send.
    pub(super) async fn quote(
        api: &Api,
        sender: &Person,
        receiver: &Person,
    ) -> anyhow::Result<Self> {
        let amount_qirat = sender.grant_qirat / 4;
        ensure!(
            amount_qirat > 0,
            "no grant is due any more, so there is nothing to pay with"
        );
        let message = QuoteTransferRequest {
            account: sender.account.clone(),
            receiver: receiver.account.clone(),
            amount_qirat,
        };
        let token = Some(sender.token.as_str());
        let answer = call(&api.wallet, token, message, async |mut api, message| {
            api.quote_transfer(message).await
        });
        Ok(Self {
            amount_qirat,
            quote: answer.await?,
            block: 0,
        })
    }

    /// What the receiver gets.
    pub(super) fn amount(&self) -> i128 {
        self.amount_qirat.into()
    }

    /// What leaves the sender.
    pub(super) fn total(&self) -> i128 {
        self.quote.total_qirat.into()
    }

    pub(super) fn tell(&self) -> Vec<String> {
        let fee = Qirat(self.quote.fee_qirat.into());
        let receiver = self.quote.receiver.clone().unwrap_or_default();
        let to = format!("{} ({})", receiver.masked_name, receiver.country);
        vec![
            format!("{} to {to}", Qirat(self.amount())),
            format!("fee {fee}, {} basis points", self.quote.basis_points),
        ]
    }

    /// Sends the money and answers the operation.
    pub(super) async fn send(
        &self,
        api: &Api,
        sender: &Person,
        receiver: &Person,
    ) -> anyhow::Result<String> {
        let message = TransferRequest {
            account: sender.account.clone(),
            request_id: random_uuid().to_string(),
            receiver: receiver.account.clone(),
            amount_qirat: self.amount_qirat,
            max_fee_qirat: self.quote.fee_qirat,
            reference: "demo".to_owned(),
        };
        let token = Some(sender.token.as_str());
        let answer = call(&api.wallet, token, message, async |mut api, message| {
            api.transfer(message).await
        });
        let operation = answer.await?.operation;
        Ok(operation.context("no operation was answered")?.name)
    }

    /// Waits until the ledger has moved the money.
    pub(super) async fn settle(
        &mut self,
        api: &Api,
        sender: &Person,
        operation: &str,
    ) -> anyhow::Result<Vec<String>> {
        let settled = api.settled(&sender.token, operation).await?;
        let place = settled.metadata.context("an operation without a place")?;
        self.block = place.block;
        Ok(vec![
            format!(
                "block {}, {} number {}",
                place.block, place.lane, place.number
            ),
            format!("transaction {}", place.fabric_tx_id),
        ])
    }
}

/// Reads a wallet, which must show the grant and the change.
pub(super) async fn wallet(
    api: &Api,
    person: &Person,
    min_block: u64,
    change: i128,
) -> anyhow::Result<Vec<String>> {
    let message = GetWalletRequest {
        account: person.account.clone(),
        min_block,
    };
    let token = Some(person.token.as_str());
    let answer = call(&api.wallet, token, message, async |mut api, message| {
        api.get_wallet(message).await
    });
    let answer = answer.await?;
    let wallet = answer.wallet.context("no wallet was answered")?;
    let balance = Qirat(wallet.balance_qirat.into());
    let expected = Qirat(i128::from(person.grant_qirat) + change);
    if balance != expected || wallet.reserved_qirat != 0 {
        let reserved = Qirat(wallet.reserved_qirat.into());
        bail!(
            "{} has {balance}, {reserved} of it reserved; it must have {expected}",
            wallet.account
        );
    }
    let block = answer.as_of_block;
    Ok(vec![format!(
        "{} has {balance} at block {block}",
        wallet.account
    )])
}

/// Reads a history, whose entries must sum to the balance.
pub(super) async fn history(
    api: &Api,
    person: &Person,
    min_block: u64,
    change: i128,
) -> anyhow::Result<Vec<String>> {
    let message = ListEntriesRequest {
        account: person.account.clone(),
        min_block,
        ..ListEntriesRequest::default()
    };
    let token = Some(person.token.as_str());
    let answer = call(&api.wallet, token, message, async |mut api, message| {
        api.list_entries(message).await
    });
    let entries = answer.await?.entries;
    let sum = entries.iter().map(|entry| i128::from(entry.delta_qirat));
    let (sum, expected) = (
        Qirat(sum.sum()),
        Qirat(i128::from(person.grant_qirat) + change),
    );
    if sum != expected {
        bail!(
            "the entries of {} sum to {sum}, not {expected}",
            person.account
        );
    }
    let mut told = vec![person.account.clone()];
    told.extend(entries.iter().map(tell));
    Ok(told)
}

fn tell(entry: &Entry) -> String {
    let kind = entry.kind().as_str_name();
    let kind = kind.strip_prefix("ENTRY_KIND_").unwrap_or(kind);
    let other = entry.counterparty.clone().unwrap_or_default().masked_name;
    let delta = Qirat(entry.delta_qirat.into());
    format!("{delta:>16}  {kind:<8}  block {:<4}  {other}", entry.block)
}
