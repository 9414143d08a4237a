//! The RPCs of `gx.ledger.v1`.

use gx_proto::gx::ledger::v1::{
    GetLedgerRequest, GetLedgerResponse, ledger_service_server::LedgerService,
};
use tonic::{Request, Response, Status};

use super::get_ledger;
use crate::{app::App, auth};

/// Serves `gx.ledger.v1`.
#[derive(Debug, Clone)]
pub struct Api {
    pub(super) app: App,
}

#[tonic::async_trait]
impl LedgerService for Api {
    async fn get_ledger(
        &self,
        request: Request<GetLedgerRequest>,
    ) -> Result<Response<GetLedgerResponse>, Status> {
        auth::signed_in(request)?;
        Ok(Response::new(get_ledger::handle(&self.app).await?))
    }
}
