//! The RPCs of `gx.wallet.v1`.

use std::sync::Arc;

use gx_proto::gx::wallet::v1::{
    BatchTransferRequest, BatchTransferResponse, GetEntryRequest, GetEntryResponse,
    GetWalletRequest, GetWalletResponse, ListEntriesRequest, ListEntriesResponse,
    QuoteTransferRequest, QuoteTransferResponse, ResolveAccountRequest, ResolveAccountResponse,
    TransferRequest, TransferResponse, WatchWalletRequest, WatchWalletResponse,
    wallet_service_server::WalletService,
};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

use super::{
    batch_transfer::BatchTransfer, get_entry::GetEntry, get_wallet::GetWallet,
    list_entries::ListEntries, news::Wallets, quote_transfer::QuoteTransfer,
    resolve_account::ResolveAccount, transfer::Transfer, watch_wallet::WatchWallet,
};
use crate::{
    app::App,
    auth,
    watch::{Board, Sent},
};

/// Pages that streams read at once, so that the connections are not all theirs when
/// many wallets change.
const READS: usize = 4;

/// Serves `gx.wallet.v1`.
#[derive(Debug, Clone)]
pub struct Api {
    pub(super) app: App,
    /// Wallets that somebody watches, looked at once for all.
    pub(super) news: Board<Wallets>,
    /// Places for streams that read.
    pub(super) reads: Arc<Semaphore>,
}

impl Api {
    pub(super) fn new(app: App) -> Self {
        Self {
            app,
            news: Board::new(Wallets::default()),
            reads: Arc::new(Semaphore::new(READS)),
        }
    }
}

#[tonic::async_trait]
impl WalletService for Api {
    async fn get_wallet(
        &self,
        request: Request<GetWalletRequest>,
    ) -> Result<Response<GetWalletResponse>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let read = GetWallet::try_from(message)?;
        context.about(read.subject());
        Ok(Response::new(read.handle(&self.app, &caller).await?))
    }

    async fn quote_transfer(
        &self,
        request: Request<QuoteTransferRequest>,
    ) -> Result<Response<QuoteTransferResponse>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let quote = QuoteTransfer::try_from(message)?;
        context.about(quote.subject());
        Ok(Response::new(quote.handle(&self.app, &caller).await?))
    }

    async fn transfer(
        &self,
        request: Request<TransferRequest>,
    ) -> Result<Response<TransferResponse>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let transfer = Transfer::try_from(message)?;
        let operation = transfer.handle(&self.app, &caller, &context).await?;
        Ok(Response::new(TransferResponse {
            operation: Some(operation),
        }))
    }

    async fn batch_transfer(
        &self,
        request: Request<BatchTransferRequest>,
    ) -> Result<Response<BatchTransferResponse>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let batch = BatchTransfer::try_from(message)?;
        context.about(batch.subject());
        let answered = batch.handle(&self.app, &caller, &context).await?;
        Ok(Response::new(answered))
    }

    async fn list_entries(
        &self,
        request: Request<ListEntriesRequest>,
    ) -> Result<Response<ListEntriesResponse>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let list = ListEntries::try_from(message)?;
        context.about(list.subject());
        Ok(Response::new(list.handle(&self.app, &caller).await?))
    }

    async fn get_entry(
        &self,
        request: Request<GetEntryRequest>,
    ) -> Result<Response<GetEntryResponse>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let read = GetEntry::try_from(message)?;
        context.about(read.subject());
        let entry = Some(read.handle(&self.app, &caller).await?);
        Ok(Response::new(GetEntryResponse { entry }))
    }

    type WatchWalletStream = Sent<WatchWalletResponse>;

    async fn watch_wallet(
        &self,
        request: Request<WatchWalletRequest>,
    ) -> Result<Response<Self::WatchWalletStream>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let watch = WatchWallet::try_from(message)?;
        context.about(watch.subject());
        Ok(Response::new(watch.handle(self, &caller, &context).await?))
    }

    async fn resolve_account(
        &self,
        request: Request<ResolveAccountRequest>,
    ) -> Result<Response<ResolveAccountResponse>, Status> {
        let (_, context, message) = auth::signed_in(request)?;
        let resolve = ResolveAccount::try_from(message)?;
        context.about(resolve.subject());
        let account = Some(resolve.handle(&self.app).await?);
        Ok(Response::new(ResolveAccountResponse { account }))
    }
}
