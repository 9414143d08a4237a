//! Balances, history, transfers.

use uuid::Uuid;

pub use crate::proto::gx::wallet::v1::*;
use crate::{
    Error, Qirat, QiratDelta, Results,
    call::Caller,
    operation::Operation,
    pages::{items, paged},
    resume::{Follow, follow},
    service::methods,
};

/// The wallets of the account holder who is signed in.
#[derive(Debug, Clone)]
pub struct Wallets(pub(crate) Caller);

methods! { Wallets: wallet_service_client::WalletServiceClient =>
    read get_wallet(GetWalletRequest) -> GetWalletResponse;
    read quote_transfer(QuoteTransferRequest) -> QuoteTransferResponse;
    command transfer(TransferRequest) -> TransferResponse;
    read batch_transfer(BatchTransferRequest) -> BatchTransferResponse;
    read list_entries(ListEntriesRequest) -> ListEntriesResponse;
    read get_entry(GetEntryRequest) -> GetEntryResponse;
    read resolve_account(ResolveAccountRequest) -> ResolveAccountResponse;
}

paged! {
    ListEntriesRequest => ListEntriesResponse.entries: Entry;
}

impl Wallets {
    /// One wallet as it is now.
    ///
    /// # Errors
    /// NOT_FOUND, if it is not one's own.
    pub async fn get(&self, account: impl Into<String>) -> Result<Wallet, Error> {
        self.get_at(account, 0).await
    }

    /// One wallet, with the effects of this block at least, such as
    /// [`Operation::block`](crate::operation::Operation::block) of one's own transfer.
    ///
    /// # Errors
    /// NOT_FOUND; STALE_READ, if the block does not come within five seconds.
    pub async fn get_at(
        &self,
        account: impl Into<String>,
        min_block: u64,
    ) -> Result<Wallet, Error> {
        let request = GetWalletRequest {
            account: account.into(),
            min_block,
        };
        let answer = self.get_wallet(request).await?;
        answer.wallet.ok_or_else(|| Error::missing("wallet"))
    }

    /// What a transfer would cost now, and who would receive it.
    ///
    /// # Errors
    /// NOT_FOUND, if the sender is not one's own or the receiver does not exist.
    pub async fn quote(&self, transfer: &Transfer) -> Result<QuoteTransferResponse, Error> {
        let request = QuoteTransferRequest {
            account: transfer.0.account.clone(),
            receiver: transfer.0.receiver.clone(),
            amount_qirat: transfer.0.amount_qirat,
        };
        self.quote_transfer(request).await
    }

    /// A wallet's entries, newest first.
    pub fn entries(&self, account: impl Into<String>) -> Results<Entry> {
        let request = ListEntriesRequest {
            account: account.into(),
            ..ListEntriesRequest::default()
        };
        items(self, request, |wallets: Self, request| async move {
            wallets.list_entries(request).await
        })
    }
}

impl Wallets {
    /// Follows a wallet: as it is now, then each change with its entries, oldest first,
    /// each once, whatever becomes of the connection. To go on with one that another
    /// process followed, give its last `position`; empty begins now.
    pub fn watch(
        &self,
        account: impl Into<String>,
        position: impl Into<String>,
    ) -> Results<WatchWalletResponse> {
        let following = Changes {
            account: account.into(),
            position: position.into(),
            last: None,
        };
        follow(self.0.clone(), following, |channel, request| async move {
            let mut client = wallet_service_client::WalletServiceClient::new(channel);
            client.watch_wallet(request).await
        })
    }
}

/// Where a wallet's changes go on.
struct Changes {
    account: String,
    position: String,
    last: Option<Wallet>,
}

impl Follow for Changes {
    type Request = WatchWalletRequest;
    type Answer = WatchWalletResponse;
    type Item = WatchWalletResponse;

    fn request(&mut self) -> WatchWalletRequest {
        WatchWalletRequest {
            account: self.account.clone(),
            position: self.position.clone(),
        }
    }

    fn read(&mut self, answer: WatchWalletResponse) -> Option<WatchWalletResponse> {
        self.position.clone_from(&answer.position);
        // A quiet stream only tells where to go on, and one that is opened again begins
        // with the wallet as it was seen last.
        let is_known = answer.wallet.is_none() || answer.wallet == self.last;
        if answer.entries.is_empty() && is_known {
            return None;
        }
        self.last = answer.wallet.clone().or(self.last.take());
        Some(answer)
    }
}

/// A transfer to make. It has its request_id from the beginning, so however often the
/// same value is sent, it is one transfer.
#[derive(Debug, Clone, PartialEq)]
pub struct Transfer(TransferRequest);

impl Transfer {
    /// Coins from one's own account to another, without fee as long as
    /// [`Transfer::max_fee`] is not told.
    pub fn new(account: impl Into<String>, receiver: impl Into<String>, amount: Qirat) -> Self {
        Self(TransferRequest {
            account: account.into(),
            request_id: Uuid::new_v4().to_string(),
            receiver: receiver.into(),
            amount_qirat: amount.get(),
            ..TransferRequest::default()
        })
    }

    /// The most that may be taken as fee: what the quote named.
    pub fn max_fee(mut self, fee: Qirat) -> Self {
        self.0.max_fee_qirat = fee.get();
        self
    }

    /// What both sides read in their history, up to 140 characters.
    pub fn reference(mut self, reference: impl Into<String>) -> Self {
        self.0.reference = reference.into();
        self
    }

    /// A request_id that was kept, so that a transfer which another process may have
    /// sent already is that one.
    pub fn request_id(mut self, request_id: Uuid) -> Self {
        self.0.request_id = request_id.to_string();
        self
    }
}

impl From<Transfer> for TransferRequest {
    fn from(transfer: Transfer) -> Self {
        transfer.0
    }
}

impl From<Transfer> for BatchedTransfer {
    fn from(Transfer(transfer): Transfer) -> Self {
        Self {
            request_id: transfer.request_id,
            receiver: transfer.receiver,
            amount_qirat: transfer.amount_qirat,
            max_fee_qirat: transfer.max_fee_qirat,
            reference: transfer.reference,
        }
    }
}

impl BatchedTransferResult {
    /// Its operation, or why it has none.
    ///
    /// # Errors
    /// The reason; after UNAVAILABLE it may have been taken.
    pub fn into_result(self) -> Result<Operation, Error> {
        match self.result {
            Some(batched_transfer_result::Result::Operation(operation)) => Ok(operation),
            Some(batched_transfer_result::Result::Error(status)) => Err(Error::told_by(&status)),
            None => Err(Error::missing("result")),
        }
    }
}

impl Wallet {
    /// All coins, as the ledger has them.
    pub fn balance(&self) -> Qirat {
        Qirat::new(self.balance_qirat)
    }

    /// Coins held by accepted commands that are not settled yet.
    pub fn reserved(&self) -> Qirat {
        Qirat::new(self.reserved_qirat)
    }

    /// What a further transfer and its fee may use.
    pub fn available(&self) -> Qirat {
        Qirat::new(self.available_qirat)
    }
}

impl QuoteTransferResponse {
    /// The fee, paid by the sender on top.
    pub fn fee(&self) -> Qirat {
        Qirat::new(self.fee_qirat)
    }

    /// What leaves the sender: amount and fee.
    pub fn total(&self) -> Qirat {
        Qirat::new(self.total_qirat)
    }

    /// What the receiver gets.
    pub fn receiver_gets(&self) -> Qirat {
        Qirat::new(self.receiver_gets_qirat)
    }
}

impl Entry {
    /// The change of the balance.
    pub fn delta(&self) -> QiratDelta {
        QiratDelta::new(self.delta_qirat)
    }
}
