//! The RPCs of `gx.operation.v1`.

use gx_proto::gx::operation::v1::{
    GetOperationRequest, GetOperationResponse, ListOperationsRequest, ListOperationsResponse,
    WaitOperationRequest, WaitOperationResponse, WatchOperationRequest, WatchOperationResponse,
    operation_service_server::OperationService,
};
use tonic::{Request, Response, Status};

use super::{
    get_operation::GetOperation,
    list_operations::ListOperations,
    wait_operation::WaitOperation,
    watch_operation::{Changes, WatchOperation},
};
use crate::{
    app::App,
    auth,
    watch::{Board, Sent},
};

/// Serves `gx.operation.v1`.
#[derive(Debug, Clone)]
pub struct Api {
    pub(super) app: App,
    /// Operations that somebody watches, looked at once for all.
    pub(super) changes: Board<Changes>,
}

impl Api {
    pub(super) fn new(app: App) -> Self {
        let changes = Board::new(Changes);
        Self { app, changes }
    }
}

#[tonic::async_trait]
impl OperationService for Api {
    async fn get_operation(
        &self,
        request: Request<GetOperationRequest>,
    ) -> Result<Response<GetOperationResponse>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let read = GetOperation::try_from(message)?;
        context.about(read.subject());
        let operation = Some(read.handle(&self.app, &caller).await?);
        Ok(Response::new(GetOperationResponse { operation }))
    }

    async fn list_operations(
        &self,
        request: Request<ListOperationsRequest>,
    ) -> Result<Response<ListOperationsResponse>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let list = ListOperations::try_from(message)?;
        context.about(ListOperations::SUBJECT);
        Ok(Response::new(list.handle(&self.app, &caller).await?))
    }

    async fn wait_operation(
        &self,
        request: Request<WaitOperationRequest>,
    ) -> Result<Response<WaitOperationResponse>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let wait = WaitOperation::try_from(message)?;
        context.about(wait.subject());
        let operation = Some(wait.handle(&self.app, &caller).await?);
        Ok(Response::new(WaitOperationResponse { operation }))
    }

    type WatchOperationStream = Sent<WatchOperationResponse>;

    async fn watch_operation(
        &self,
        request: Request<WatchOperationRequest>,
    ) -> Result<Response<Self::WatchOperationStream>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let watch = WatchOperation::try_from(message)?;
        context.about(watch.subject());
        Ok(Response::new(watch.handle(self, &caller, &context).await?))
    }
}
