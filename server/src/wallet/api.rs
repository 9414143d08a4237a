//! The RPCs of `gx.wallet.v1`.

use gx_proto::gx::wallet::v1::{
    BatchTransferRequest, BatchTransferResponse, GetWalletRequest, GetWalletResponse,
    ListEntriesRequest, ListEntriesResponse, QuoteTransferRequest, QuoteTransferResponse,
    TransferRequest, TransferResponse, wallet_service_server::WalletService,
};
use tonic::{Request, Response, Status};

use super::{
    batch_transfer::BatchTransfer, get_wallet::GetWallet, list_entries::ListEntries,
    quote_transfer::QuoteTransfer, transfer::Transfer,
};
use crate::{app::App, auth};

/// Serves `gx.wallet.v1`.
#[derive(Debug, Clone)]
pub struct Api {
    pub(super) app: App,
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
}
