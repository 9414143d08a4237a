//! The RPCs of `gx.tokenomics.v1`.

use gx_proto::gx::tokenomics::v1::{
    GetFeeScheduleRequest, GetFeeScheduleResponse, GetGenesisScheduleRequest,
    GetGenesisScheduleResponse, GetSupplyRequest, GetSupplyResponse, ListCountriesRequest,
    ListCountriesResponse, tokenomics_service_server::TokenomicsService,
};
use tonic::{Request, Response, Status};

use super::{get_fee_schedule, get_genesis_schedule, get_supply, list_countries::ListCountries};
use crate::{app::App, auth};

/// Serves `gx.tokenomics.v1`.
#[derive(Debug, Clone)]
pub struct Api {
    pub(super) app: App,
}

#[tonic::async_trait]
impl TokenomicsService for Api {
    async fn get_supply(
        &self,
        request: Request<GetSupplyRequest>,
    ) -> Result<Response<GetSupplyResponse>, Status> {
        let (_, message) = auth::anybody(request)?;
        let supply = get_supply::handle(&self.app, message.min_block).await?;
        Ok(Response::new(supply))
    }

    async fn list_countries(
        &self,
        request: Request<ListCountriesRequest>,
    ) -> Result<Response<ListCountriesResponse>, Status> {
        let (_, message) = auth::anybody(request)?;
        let list = ListCountries::try_from(message)?;
        Ok(Response::new(list.handle(&self.app).await?))
    }

    async fn get_fee_schedule(
        &self,
        request: Request<GetFeeScheduleRequest>,
    ) -> Result<Response<GetFeeScheduleResponse>, Status> {
        auth::anybody(request)?;
        Ok(Response::new(get_fee_schedule::handle()))
    }

    async fn get_genesis_schedule(
        &self,
        request: Request<GetGenesisScheduleRequest>,
    ) -> Result<Response<GetGenesisScheduleResponse>, Status> {
        auth::anybody(request)?;
        Ok(Response::new(get_genesis_schedule::handle()))
    }
}
