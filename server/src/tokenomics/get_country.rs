//! `GetCountry`: one country's share of the genesis, and its treasury.

use gx_contract::account::{is_country_code, treasury_of};
use gx_proto::gx::tokenomics::v1::{GetCountryRequest, GetCountryResponse};
use sea_orm::EntityTrait;

use super::{entity::country, list_countries::show, query};
use crate::{
    app::App,
    cache::OfBlock,
    error::{Error, Result, Violations},
    moment::Moment,
};

/// A country to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GetCountry {
    code: String,
    min_block: u64,
}

impl TryFrom<GetCountryRequest> for GetCountry {
    type Error = Error;

    fn try_from(message: GetCountryRequest) -> Result<Self> {
        let GetCountryRequest { code, min_block } = message;
        let mut violations = Violations::default();
        let wrong = "must be an ISO 3166-1 alpha-2 code in capitals";
        violations.require("code", is_country_code(&code), wrong);
        violations.finish(Some(Self { code, min_block }))
    }
}

impl OfBlock for GetCountryResponse {
    fn as_of_block(&self) -> u64 {
        self.as_of_block
    }
}

impl GetCountry {
    pub(super) async fn handle(self, app: &App) -> Result<GetCountryResponse> {
        let name = format!("country:{}", self.code);
        let min_block = self.min_block;
        app.answers
            .of_latest(&name, min_block, self.read(app))
            .await
    }

    async fn read(self, app: &App) -> Result<GetCountryResponse> {
        let moment = Moment::of_all(app, self.min_block).await?;
        let row = country::Entity::find_by_id(&self.code)
            .one(&moment.tx)
            .await?;
        let row = row.ok_or_else(|| Error::not_found(format!("countries/{}", self.code)))?;
        let treasury = treasury_of(&self.code);
        Ok(GetCountryResponse {
            country: Some(show(&row)?),
            treasury_qirat: query::treasury_balance(&moment.tx, &treasury).await?,
            treasury,
            as_of_block: moment.as_of_block,
        })
    }
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::{common::v1::Reason, contract::v1::AccountType};

    use super::*;
    use crate::{
        fixture,
        tokenomics::{
            list_countries::tests::{created, load},
            projection::accounts_created_in,
        },
    };

    async fn get(app: &App, code: &str) -> Result<GetCountryResponse> {
        let read = GetCountry::try_from(GetCountryRequest {
            code: code.to_owned(),
            min_block: 0,
        })?;
        read.handle(app).await
    }

    #[tokio::test]
    async fn a_country_tells_what_was_granted_and_what_its_treasury_holds() {
        let app = fixture::app().await;
        load(&app).await;
        let before = get(&app, "KE").await.unwrap();
        assert_eq!(
            (before.treasury.as_str(), before.treasury_qirat),
            ("TREASURY_KE", 0)
        );

        fixture::open(&app, "TREASURY_KE", AccountType::Treasury, "KE").await;
        let grant = fixture::posting(2, 0, "TREASURY_KE", 50_000_000, "SYSTEM_GOVT_GENESIS_POOL");
        fixture::post(&app, &[grant]).await;
        let tx = app.store.begin().await.unwrap();
        accounts_created_in(&tx, &[created("KE", 1)]).await.unwrap();
        tx.commit().await.unwrap();
        fixture::apply_all(&app, 2).await;
        let after = get(&app, "KE").await.unwrap();
        assert_eq!((after.treasury_qirat, after.as_of_block), (50_000_000, 2));
        let (before, after) = (before.country.unwrap(), after.country.unwrap());
        assert_eq!((after.people, after.granted_qirat), (1, 500_000_000));
        assert_eq!(after.slots_left[0], before.slots_left[0] - 1);
        assert_eq!(
            (after.name.as_str(), after.share_ppb),
            ("Kenya", before.share_ppb)
        );
    }

    #[tokio::test]
    async fn a_country_that_is_not_loaded_is_not_found() {
        let app = fixture::app().await;
        assert_eq!(
            get(&app, "KE").await.unwrap_err().reason(),
            Reason::NotFound
        );
        load(&app).await;
        assert_eq!(
            get(&app, "XX").await.unwrap_err().reason(),
            Reason::NotFound
        );
    }

    #[tokio::test]
    async fn a_text_that_is_no_code_is_told() {
        let app = fixture::app().await;
        for code in ["", "ke", "KEN", "K1"] {
            let error = get(&app, code).await.unwrap_err();
            assert_eq!(fixture::violated(error), ["code"], "{code}");
        }
    }
}
