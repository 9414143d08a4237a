//! Requests about the currency.

use gx_proto::gx::tokenomics::v1::{
    GetCountryRequest, GetGenesisProgressRequest, GetSupplyRequest, ListPoolsRequest,
};
use tonic::Code;

use super::{Case, World};

pub(super) fn cases(world: &World) -> Vec<Case> {
    let mut cases = awaited(world);
    let country = |code: &str| {
        let mut tokenomics = world.gx.client().tokenomics();
        let code = code.to_owned();
        let request = GetCountryRequest { code, min_block: 0 };
        async move { tokenomics.get_country(request).await }
    };
    let unknown = (Code::NotFound, "NOT_FOUND");
    cases.extend([
        Case::fields("a country by no code", &["code"], country("")),
        Case::fields("a country in small letters", &["code"], country("ke")),
        Case::new("no country", unknown, country("ZZ")),
    ]);
    cases
}

/// A block that is far away.
fn awaited(world: &World) -> Vec<Case> {
    let min_block = 1_000_000;
    let client = || world.gx.client().tokenomics();
    let (mut supply, mut pools, mut progress, mut country) =
        (client(), client(), client(), client());
    let code = "KE".to_owned();
    let stale = (Code::FailedPrecondition, "STALE_READ");
    let cases = [
        Case::new("the supply of a block far away", stale, async move {
            supply.get_supply(GetSupplyRequest { min_block }).await
        }),
        Case::new("pools at a block far away", stale, async move {
            pools.list_pools(ListPoolsRequest { min_block }).await
        }),
        Case::new("grants up to a block far away", stale, async move {
            let request = GetGenesisProgressRequest { min_block };
            progress.get_genesis_progress(request).await
        }),
        Case::new("a country at a block far away", stale, async move {
            country
                .get_country(GetCountryRequest { code, min_block })
                .await
        }),
    ];
    let told = |case: Case| case.with(&[("min_block", "1000000")]);
    cases.map(told).into()
}
