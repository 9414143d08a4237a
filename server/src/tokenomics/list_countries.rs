//! `ListCountries`: shares of the genesis and what is left of them.

use gx_contract::countries;
use gx_proto::gx::tokenomics::v1::{Country, ListCountriesRequest, ListCountriesResponse};

use super::{entity::country, query};
use crate::{
    app::App,
    cache::OfBlock,
    error::{Error, Result, Violations},
    moment::Moment,
    page::{FOREIGN_TOKEN, Page},
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
        // A token is not sealed: what it names must be a place that the list has.
        let after = page.as_ref().and_then(|page| page.after.as_deref());
        let known = after.is_none_or(|code| countries::find(code).is_some());
        violations.require("page_token", known, FOREIGN_TOKEN);
        let min_block = message.min_block;
        violations.finish(page.map(|page| Self { page, min_block }))
    }
}

impl OfBlock for ListCountriesResponse {
    fn as_of_block(&self) -> u64 {
        self.as_of_block
    }
}

impl ListCountries {
    pub(super) async fn handle(self, app: &App) -> Result<ListCountriesResponse> {
        let after = self.page.after.as_deref().unwrap_or_default();
        let name = format!("countries:{after}:{}", self.page.limit());
        let min_block = self.min_block;
        app.answers
            .of_latest(&name, min_block, self.read(app))
            .await
    }

    async fn read(self, app: &App) -> Result<ListCountriesResponse> {
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

/// A country as clients see it.
pub(super) fn show(row: &country::Model) -> anyhow::Result<Country> {
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

#[cfg(test)]
pub(super) mod tests {
    use gx_contract::genesis;
    use gx_proto::gx::contract::v1::{AccountCreated, AccountType, CountryState};

    use super::*;
    use crate::{
        fixture,
        tokenomics::projection::{accounts_created_in, countries_loaded_in},
    };

    async fn world() -> App {
        let app = fixture::app().await;
        load(&app).await;
        app
    }

    /// Loads all countries with their true shares.
    pub(in crate::tokenomics) async fn load(app: &App) {
        let shares = countries::shares();
        let states =
            genesis::slots(&shares)
                .into_iter()
                .zip(&shares)
                .map(|((code, slots), (_, share))| CountryState {
                    country: code.to_owned(),
                    share_ppb: *share,
                    slots_left: slots.to_vec(),
                });
        let tx = app.store.begin().await.unwrap();
        countries_loaded_in(&tx, &states.collect::<Vec<_>>())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// A person of a country, granted in a phase.
    pub(in crate::tokenomics) fn created(country: &str, phase: u32) -> AccountCreated {
        AccountCreated {
            account: "GX-one".to_owned(),
            r#type: AccountType::Person.into(),
            country: country.to_owned(),
            phase,
            grant_qirat: if phase == 0 { 0 } else { 500_000_000 },
            ..AccountCreated::default()
        }
    }

    async fn list(app: &App, page_size: u32, page_token: String) -> ListCountriesResponse {
        let request = ListCountriesRequest {
            page_size,
            page_token,
            min_block: 0,
        };
        ListCountries::try_from(request)
            .unwrap()
            .handle(app)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn pages_hold_every_country_once_in_order() {
        let app = world().await;
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let page = list(&app, 100, token).await;
            seen.extend(page.countries);
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        let told: Vec<_> = seen
            .iter()
            .map(|country| (country.code.as_str(), country.name.as_str()))
            .collect();
        let all: Vec<_> = countries::ALL
            .iter()
            .map(|country| (country.code, country.name))
            .collect();
        assert_eq!(told, all);
        let shares: u64 = seen
            .iter()
            .map(|country| u64::from(country.share_ppb))
            .sum();
        assert_eq!(shares, 1_000_000_000);
    }

    #[tokio::test]
    async fn accounts_take_slots_of_their_country_alone() {
        let app = world().await;
        let before = list(&app, 2, String::new()).await.countries;
        let tx = app.store.begin().await.unwrap();
        let made = [created("AD", 1), created("AD", 1), created("AD", 0)];
        accounts_created_in(&tx, &made).await.unwrap();
        tx.commit().await.unwrap();
        let after = list(&app, 2, String::new()).await.countries;
        assert_eq!(after[0].slots_left[0], before[0].slots_left[0] - 2);
        assert_eq!(after[0].slots_left[1..], before[0].slots_left[1..]);
        assert_eq!(
            (after[0].people, after[0].granted_qirat),
            (3, 1_000_000_000)
        );
        assert_eq!(after[1], before[1]);
    }

    #[tokio::test]
    async fn facts_that_do_not_fit_the_rows_are_refused() {
        let app = world().await;
        for (country, phase) in [("XX", 1), ("AQ", 1), ("DE", 7)] {
            let tx = app.store.begin().await.unwrap();
            let refused = accounts_created_in(&tx, &[created(country, phase)]).await;
            assert!(refused.is_err(), "{country} {phase}");
        }
    }

    #[test]
    fn a_token_must_name_a_country() {
        let token_after = |code: &str| {
            let mut violations = Violations::default();
            let page = Page::parse(&mut violations, &["countries"], 1, "").unwrap();
            let mut rows = vec![code.to_owned(), String::new()];
            page.cut(&mut rows, String::clone).unwrap()
        };
        let list = |code| {
            ListCountries::try_from(ListCountriesRequest {
                page_token: token_after(code),
                ..ListCountriesRequest::default()
            })
        };
        assert!(list("DE").is_ok());
        for forged in ["\0", "", "ZZZ", "de"] {
            assert_eq!(
                fixture::violated(list(forged).unwrap_err()),
                ["page_token"],
                "{forged:?}"
            );
        }
    }

    #[test]
    fn all_violations_are_told_at_once() {
        let error = ListCountries::try_from(ListCountriesRequest {
            page_size: 201,
            page_token: "forged".to_owned(),
            min_block: 0,
        });
        assert_eq!(
            fixture::violated(error.unwrap_err()),
            ["page_size", "page_token"]
        );
    }
}
