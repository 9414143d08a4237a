//! `GetSupply`: where the coins are, at one block.

use std::collections::HashMap;

use gx_contract::{account::POOLS, amount::MAXIMUM_SUPPLY};
use gx_proto::gx::tokenomics::v1::{GetSupplyResponse, Pool};

use super::{CIRCULATING, TREASURIES, query};
use crate::{app::App, error::Result, moment::Moment};

/// Every partition has applied `as_of_block`, and what some have applied beyond
/// it is left out; so the parts sum to the maximum.
pub(super) async fn handle(app: &App, min_block: u64) -> Result<GetSupplyResponse> {
    let moment = Moment::of_all(app, min_block).await?;
    let totals = query::totals_at(&moment.tx, moment.as_of_block).await?;
    let pools: Vec<_> = POOLS
        .iter()
        .map(|pool| in_pool(&totals, pool.name))
        .collect();
    Ok(GetSupplyResponse {
        maximum_qirat: MAXIMUM_SUPPLY.get(),
        pools_qirat: pools.iter().map(|pool| pool.balance_qirat).sum(),
        treasuries_qirat: total(&totals, TREASURIES),
        circulating_qirat: total(&totals, CIRCULATING),
        pools,
        as_of_block: moment.as_of_block,
    })
}

fn in_pool(totals: &HashMap<String, u64>, account: &str) -> Pool {
    Pool {
        account: account.to_owned(),
        balance_qirat: total(totals, account),
    }
}

fn total(totals: &HashMap<String, u64>, bucket: &str) -> u64 {
    totals.get(bucket).copied().unwrap_or(0)
}
