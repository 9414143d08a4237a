//! `ListPools`: what the system's pools hold, and what they held at first.

use gx_contract::account::POOLS;
use gx_proto::gx::tokenomics::v1::{ListPoolsResponse, PoolState};

use super::get_supply;
use crate::{app::App, error::Result};

/// The pools of the supply, so that both tell the same of a block.
pub(super) async fn handle(app: &App, min_block: u64) -> Result<ListPoolsResponse> {
    let supply = get_supply::handle(app, min_block).await?;
    let pools = supply.pools.into_iter().map(|pool| PoolState {
        initial_qirat: initial(&pool.account),
        account: pool.account,
        balance_qirat: pool.balance_qirat,
    });
    Ok(ListPoolsResponse {
        pools: pools.collect(),
        as_of_block: supply.as_of_block,
    })
}

fn initial(account: &str) -> u64 {
    let pool = POOLS.iter().find(|pool| pool.name == account);
    pool.map_or(0, |pool| pool.supply.get())
}

#[cfg(test)]
mod tests {
    use gx_contract::amount::MAXIMUM_SUPPLY;
    use gx_proto::gx::contract::v1::AccountType;

    use super::*;
    use crate::fixture;

    #[tokio::test]
    async fn pools_tell_what_is_left_of_what_they_held() {
        let app = fixture::app().await;
        let mut genesis = Vec::new();
        for (place, pool) in (0..).zip(POOLS) {
            fixture::open(&app, pool.name, AccountType::System, "").await;
            let supply = pool.supply.to_signed().unwrap();
            genesis.push(fixture::posting(1, place, pool.name, supply, ""));
        }
        fixture::post(&app, &genesis).await;
        let ann = fixture::person(&app, 1, "DE").await;
        fixture::pay(&app, 2, "SYSTEM_USER_GENESIS_POOL", ann.as_str(), 500).await;
        fixture::apply_all(&app, 2).await;

        let told = handle(&app, 0).await.unwrap();
        assert_eq!(told.as_of_block, 2);
        let names: Vec<_> = told
            .pools
            .iter()
            .map(|pool| pool.account.as_str())
            .collect();
        assert_eq!(names, POOLS.map(|pool| pool.name));
        let initial: u64 = told.pools.iter().map(|pool| pool.initial_qirat).sum();
        assert_eq!(initial, MAXIMUM_SUPPLY.get());
        for pool in told.pools {
            let paid = match pool.account.as_str() {
                "SYSTEM_USER_GENESIS_POOL" => 500,
                _ => 0,
            };
            assert_eq!(pool.initial_qirat - pool.balance_qirat, paid);
        }
    }
}
