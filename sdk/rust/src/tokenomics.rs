//! Supply, countries, fees and the genesis schedule: what everybody may know.

pub use crate::proto::gx::tokenomics::v1::*;
use crate::{
    Error, Qirat, Results,
    call::Caller,
    pages::{items, paged},
    service::methods,
};

/// Facts about the currency.
#[derive(Debug, Clone)]
pub struct Tokenomics(pub(crate) Caller);

methods! { Tokenomics: tokenomics_service_client::TokenomicsServiceClient =>
    read get_supply(GetSupplyRequest) -> GetSupplyResponse;
    read list_countries(ListCountriesRequest) -> ListCountriesResponse;
    read get_country(GetCountryRequest) -> GetCountryResponse;
    read list_pools(ListPoolsRequest) -> ListPoolsResponse;
    read get_genesis_progress(GetGenesisProgressRequest) -> GetGenesisProgressResponse;
    read get_fee_schedule(GetFeeScheduleRequest) -> GetFeeScheduleResponse;
    read get_genesis_schedule(GetGenesisScheduleRequest) -> GetGenesisScheduleResponse;
}

paged! {
    ListCountriesRequest => ListCountriesResponse.countries: Country;
}

impl Tokenomics {
    /// The supply as it is now.
    ///
    /// # Errors
    /// Those of any call.
    pub async fn supply(&self) -> Result<GetSupplyResponse, Error> {
        self.get_supply(GetSupplyRequest::default()).await
    }

    /// All countries, in order of their codes.
    pub fn countries(&self) -> Results<Country> {
        items(
            self,
            ListCountriesRequest::default(),
            |tokenomics: Self, request| async move { tokenomics.list_countries(request).await },
        )
    }
}

impl GetSupplyResponse {
    /// All coins that there are.
    pub fn maximum(&self) -> Qirat {
        Qirat::new(self.maximum_qirat)
    }

    /// Coins in system pools.
    pub fn in_pools(&self) -> Qirat {
        Qirat::new(self.pools_qirat)
    }

    /// Coins in countries' treasuries.
    pub fn in_treasuries(&self) -> Qirat {
        Qirat::new(self.treasuries_qirat)
    }

    /// Coins held by everybody else.
    pub fn circulating(&self) -> Qirat {
        Qirat::new(self.circulating_qirat)
    }
}

impl Pool {
    /// What is in it.
    pub fn balance(&self) -> Qirat {
        Qirat::new(self.balance_qirat)
    }
}

impl PoolState {
    /// What is in it.
    pub fn balance(&self) -> Qirat {
        Qirat::new(self.balance_qirat)
    }

    /// What was in it when the supply was created.
    pub fn initial(&self) -> Qirat {
        Qirat::new(self.initial_qirat)
    }
}

impl PhaseProgress {
    /// What its people got.
    pub fn granted(&self) -> Qirat {
        Qirat::new(self.granted_qirat)
    }

    /// What treasuries got with it.
    pub fn treasury_granted(&self) -> Qirat {
        Qirat::new(self.treasury_granted_qirat)
    }
}

impl GetCountryResponse {
    /// What the country's treasury holds.
    pub fn in_treasury(&self) -> Qirat {
        Qirat::new(self.treasury_qirat)
    }
}

impl Country {
    /// Grants paid to its people so far.
    pub fn granted(&self) -> Qirat {
        Qirat::new(self.granted_qirat)
    }
}

impl GenesisPhase {
    /// What each person gets.
    pub fn grant(&self) -> Qirat {
        Qirat::new(self.grant_qirat)
    }

    /// What the treasury of the person's country gets with it.
    pub fn treasury(&self) -> Qirat {
        Qirat::new(self.treasury_qirat)
    }
}
