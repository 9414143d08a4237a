//! `ListCountries`: shares of the genesis and what is left of them.

use gx_contract::countries;
use gx_proto::gx::tokenomics::v1::{Country, ListCountriesRequest, ListCountriesResponse};

use super::{entity::country, query};
use crate::{
    app::App,
    error::{Error, Result, Violations},
    moment::Moment,
    page::Page,
};

/// Countries to list; a country's place is its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListCountries {
    page: Page<String>,
    min_block: u64,
}

impl TryFrom<ListCountriesRequest> for ListCountries {
    type Error = Error;

    fn try_from(message: ListCountriesRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let page = Page::parse(
            &mut violations,
            &["countries"],
            message.page_size,
            &message.page_token,
        );
        let min_block = message.min_block;
        violations.finish(page.map(|page| Self { page, min_block }))
    }
}

impl ListCountries {
    pub(super) async fn handle(self, app: &App) -> Result<ListCountriesResponse> {
        let moment = Moment::of_all(app, self.min_block).await?;
        let after = self.page.after.as_deref();
        let mut rows = query::countries_after(&moment.tx, after, self.page.limit()).await?;
        let next_page_token = self.page.cut(&mut rows, |row| row.code.clone())?;
        Ok(ListCountriesResponse {
            countries: rows.iter().map(show).collect::<anyhow::Result<_>>()?,
            next_page_token,
            as_of_block: moment.as_of_block,
        })
    }
}

fn show(row: &country::Model) -> anyhow::Result<Country> {
    let name = countries::find(&row.code).map(|country| country.name);
    Ok(Country {
        code: row.code.clone(),
        name: name.unwrap_or_default().to_owned(),
        share_ppb: u32::try_from(row.share_ppb)?,
        slots_left: row.slots()?,
        people: u64::try_from(row.people)?,
        granted_qirat: u64::try_from(row.granted_qirat)?,
    })
}
