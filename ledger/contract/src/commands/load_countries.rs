//! LoadCountries: all countries with their slots of the genesis, and a locked
//! treasury for each. Once, before the first person, since no account can be
//! created in a country that is not loaded.
//!
//! Refusals in order: `ROLE`, `NOT_BOOTSTRAPPED`, `COUNTRIES_ALREADY_LOADED`,
//! `COUNTRY_TABLE`.

use gx_proto::gx::contract::v1::done::Fact;
use gx_proto::gx::contract::v1::{
    AccountRecord, AccountStatus, AccountType, CommandRefusal, CountriesLoaded, CountriesRecord,
    CountryRecord, CountryShare, CountryState, Done, LoadCountries,
};

use super::refusal::require;
use super::{Stop, partner_lanes, require_domain};
use crate::account::{is_country_code, treasury_of};
use crate::batch::Rules;
use crate::book::Book;
use crate::countries::SHARES_TOTAL;
use crate::genesis;
use crate::keys;
use crate::lane::LaneDomain;

pub(super) fn run(
    book: &mut Book<'_>,
    rules: &Rules,
    command: &LoadCountries,
) -> Result<Done, Stop> {
    require_domain(rules, LaneDomain::Sys)?;
    partner_lanes(book)?;
    let loaded: Option<CountriesRecord> = book.overlay.get(keys::COUNTRIES)?;
    require(loaded.is_none(), CommandRefusal::CountriesAlreadyLoaded)?;
    let shares = check_table(&command.countries).ok_or(CommandRefusal::CountryTable)?;

    let record = CountriesRecord {
        // At most 26 × 26 codes.
        countries: shares.len() as u32,
    };
    book.overlay.put(keys::COUNTRIES.to_owned(), &record);
    let mut countries = Vec::with_capacity(shares.len());
    for ((country, share_ppb), (_, slots)) in shares.iter().zip(genesis::slots(&shares)) {
        let state = CountryState {
            country: (*country).to_owned(),
            share_ppb: *share_ppb,
            slots_left: slots.to_vec(),
        };
        load(book, rules.time_ms, &state);
        countries.push(state);
    }
    Ok(Done {
        postings: Vec::new(),
        fact: Some(Fact::CountriesLoaded(CountriesLoaded { countries })),
    })
}

/// The shares in order of code; `None` unless each code is well-formed, stands
/// once, and the shares sum to exactly a billion.
fn check_table(countries: &[CountryShare]) -> Option<Vec<(&str, u32)>> {
    let mut shares: Vec<_> = countries
        .iter()
        .map(|row| (row.country.as_str(), row.share_ppb))
        .collect();
    shares.sort_unstable();
    let total: u64 = shares.iter().map(|(_, share)| u64::from(*share)).sum();
    let fine = shares.iter().all(|(code, _)| is_country_code(code))
        && shares.is_sorted_by(|a, b| a.0 < b.0)
        && total == u64::from(SHARES_TOTAL);
    fine.then_some(shares)
}

fn load(book: &mut Book<'_>, create_time_ms: i64, state: &CountryState) {
    let record = CountryRecord {
        share_ppb: state.share_ppb,
        slots_left: state.slots_left.clone(),
    };
    book.overlay.put(keys::country(&state.country), &record);
    let treasury = AccountRecord {
        r#type: AccountType::Treasury.into(),
        country: state.country.clone(),
        status: AccountStatus::Locked.into(),
        create_time_ms,
    };
    book.open(&treasury_of(&state.country), treasury, 0);
}
