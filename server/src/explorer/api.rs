//! The RPCs of `gx.ledger.v1`.

use std::sync::Arc;

use gx_proto::gx::ledger::v1::{
    GetBlockRequest, GetBlockResponse, GetLedgerRequest, GetLedgerResponse, GetTransactionRequest,
    GetTransactionResponse, ListBlocksRequest, ListBlocksResponse, StreamBlocksRequest,
    StreamBlocksResponse, ledger_service_server::LedgerService,
};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

use super::{
    get_block::GetBlock, get_ledger, get_transaction::GetTransaction, list_blocks::ListBlocks,
    stream_blocks::StreamBlocks, tail::Ending,
};
use crate::{
    app::App,
    auth,
    watch::{Board, Sent},
};

/// Pages of older blocks that streams read at once.
const READS: usize = 4;

/// Serves `gx.ledger.v1`.
#[derive(Debug, Clone)]
pub struct Api {
    pub(super) app: App,
    /// The last blocks, read once for all streams.
    pub(super) ending: Board<Ending>,
    /// Places for streams that read older blocks.
    pub(super) reads: Arc<Semaphore>,
}

impl Api {
    pub(super) fn new(app: App) -> Self {
        Self {
            app,
            ending: Board::new(Ending::default()),
            reads: Arc::new(Semaphore::new(READS)),
        }
    }
}

#[tonic::async_trait]
impl LedgerService for Api {
    async fn get_ledger(
        &self,
        request: Request<GetLedgerRequest>,
    ) -> Result<Response<GetLedgerResponse>, Status> {
        let (caller, context, _) = auth::signed_in(request)?;
        context.about("ledger");
        Ok(Response::new(get_ledger::handle(&self.app, &caller).await?))
    }

    async fn get_block(
        &self,
        request: Request<GetBlockRequest>,
    ) -> Result<Response<GetBlockResponse>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let read = GetBlock::try_from(message)?;
        context.about(read.subject());
        Ok(Response::new(read.handle(&self.app, &caller).await?))
    }

    async fn list_blocks(
        &self,
        request: Request<ListBlocksRequest>,
    ) -> Result<Response<ListBlocksResponse>, Status> {
        let (_, context, message) = auth::signed_in(request)?;
        let list = ListBlocks::try_from(message)?;
        context.about("blocks");
        Ok(Response::new(list.handle(&self.app).await?))
    }

    async fn get_transaction(
        &self,
        request: Request<GetTransactionRequest>,
    ) -> Result<Response<GetTransactionResponse>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let read = GetTransaction::try_from(message)?;
        context.about(read.subject());
        Ok(Response::new(read.handle(&self.app, &caller).await?))
    }

    type StreamBlocksStream = Sent<StreamBlocksResponse>;

    async fn stream_blocks(
        &self,
        request: Request<StreamBlocksRequest>,
    ) -> Result<Response<Self::StreamBlocksStream>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let stream = StreamBlocks::try_from(message)?;
        context.about("blocks");
        Ok(Response::new(stream.handle(self, &caller, &context).await?))
    }
}
