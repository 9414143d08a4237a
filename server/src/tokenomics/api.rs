//! The RPCs of `gx.tokenomics.v1`.

use gx_proto::gx::tokenomics::v1::{
    GetCountryRequest, GetCountryResponse, GetFeeScheduleRequest, GetFeeScheduleResponse,
    GetGenesisProgressRequest, GetGenesisProgressResponse, GetGenesisScheduleRequest,
    GetGenesisScheduleResponse, GetSupplyRequest, GetSupplyResponse, ListCountriesRequest,
    ListCountriesResponse, ListPoolsRequest, ListPoolsResponse,
    tokenomics_service_server::TokenomicsService,
};
use tonic::{Request, Response, Status};

use super::{
    get_country::GetCountry, get_fee_schedule, get_genesis_progress, get_genesis_schedule,
    get_supply, list_countries::ListCountries, list_pools,
};
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

    async fn get_country(
        &self,
        request: Request<GetCountryRequest>,
    ) -> Result<Response<GetCountryResponse>, Status> {
        let (_, message) = auth::anybody(request)?;
        let read = GetCountry::try_from(message)?;
        Ok(Response::new(read.handle(&self.app).await?))
    }

    async fn list_pools(
        &self,
        request: Request<ListPoolsRequest>,
    ) -> Result<Response<ListPoolsResponse>, Status> {
        let (_, message) = auth::anybody(request)?;
        let pools = list_pools::handle(&self.app, message.min_block).await?;
        Ok(Response::new(pools))
    }

    async fn get_genesis_progress(
        &self,
        request: Request<GetGenesisProgressRequest>,
    ) -> Result<Response<GetGenesisProgressResponse>, Status> {
        let (_, message) = auth::anybody(request)?;
        let progress = get_genesis_progress::handle(&self.app, message.min_block).await?;
        Ok(Response::new(progress))
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
