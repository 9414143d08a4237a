//! `GetSupply`: where the coins are, at one block.

use std::collections::HashMap;

use gx_contract::{account::POOLS, amount::MAXIMUM_SUPPLY};
use gx_proto::gx::tokenomics::v1::{GetSupplyResponse, Pool};

use super::{CIRCULATING, TREASURIES, query};
use crate::{app::App, cache::OfBlock, error::Result, moment::Moment};

impl OfBlock for GetSupplyResponse {
    fn as_of_block(&self) -> u64 {
        self.as_of_block
    }
}

/// The supply at the latest block, `min_block` or later.
pub(super) async fn handle(app: &App, min_block: u64) -> Result<GetSupplyResponse> {
    let read = read(app, min_block);
    app.answers.of_latest("supply", min_block, read).await
}

/// Every partition has applied `as_of_block`, and what some have applied beyond
/// it is left out; so the parts sum to the maximum.
async fn read(app: &App, min_block: u64) -> Result<GetSupplyResponse> {
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

#[cfg(test)]
mod tests {
    use gx_proto::gx::contract::v1::AccountType;

    use super::*;
    use crate::{fixture, wallet::projection::Posting};

    fn grant(block: i64, account: &str) -> [Posting; 4] {
        let user = ("SYSTEM_USER_GENESIS_POOL", account, 500_000_000);
        let state = ("SYSTEM_GOVT_GENESIS_POOL", "TREASURY_DE", 50_000_000);
        [
            fixture::posting(block, 0, user.0, -user.2, user.1),
            fixture::posting(block, 1, user.1, user.2, user.0),
            fixture::posting(block, 2, state.0, -state.2, state.1),
            fixture::posting(block, 3, state.1, state.2, state.0),
        ]
    }

    fn parts(supply: &GetSupplyResponse) -> u64 {
        supply.pools_qirat + supply.treasuries_qirat + supply.circulating_qirat
    }

    /// The pools full, and two people of different partitions.
    async fn world() -> (App, [String; 2]) {
        let app = fixture::app().await;
        let mut genesis = Vec::new();
        for (place, pool) in (0..).zip(POOLS) {
            fixture::open(&app, pool.name, AccountType::System, "").await;
            let supply = pool.supply.to_signed().unwrap();
            genesis.push(fixture::posting(1, place, pool.name, supply, ""));
        }
        fixture::post(&app, &genesis).await;
        fixture::open(&app, "TREASURY_DE", AccountType::Treasury, "DE").await;
        let mut people = Vec::new();
        for partition in 0..2 {
            let mut numbers = 1..;
            let number = numbers
                .find(|number| fixture::partition(fixture::account(*number).as_str()) == partition);
            people.push(
                fixture::person(&app, number.unwrap(), "DE")
                    .await
                    .to_string(),
            );
        }
        (app, people.try_into().unwrap())
    }

    #[tokio::test]
    async fn parts_sum_to_the_maximum_at_every_block() {
        let (app, [ann, bee]) = world().await;
        fixture::post(&app, &grant(2, &ann)).await;
        fixture::post(&app, &grant(3, &bee)).await;
        fixture::pay(&app, 5, &ann, &bee, 123_456_789).await;
        fixture::pay(&app, 6, &bee, "SYSTEM_OPERATIONS_FUND", 77).await;
        for (block, granted) in [(1, 0), (2, 1), (3, 2), (4, 2), (5, 2), (6, 2)] {
            fixture::apply_all(&app, block).await;
            let supply = handle(&app, 0).await.unwrap();
            assert_eq!(supply.as_of_block, block.unsigned_abs());
            assert_eq!(parts(&supply), supply.maximum_qirat, "block {block}");
            assert_eq!(supply.treasuries_qirat, granted * 50_000_000);
            let fees = if block == 6 { 77 } else { 0 };
            assert_eq!(supply.circulating_qirat, granted * 500_000_000 - fees);
        }
    }

    #[tokio::test]
    async fn partition_ahead_of_the_others_is_read_at_their_block() {
        let (app, [ann, bee]) = world().await;
        fixture::post(&app, &grant(2, &ann)).await;
        fixture::post(&app, &grant(9, &bee)).await;
        fixture::apply(&app, fixture::partition(&ann), 2).await;
        fixture::apply(&app, fixture::partition(&bee), 9).await;
        let supply = handle(&app, 0).await.unwrap();
        assert_eq!(
            (supply.as_of_block, parts(&supply)),
            (2, supply.maximum_qirat)
        );
        assert_eq!(supply.circulating_qirat, 500_000_000);
    }

    #[tokio::test]
    async fn pools_stand_in_order_and_hold_what_is_theirs() {
        let (app, _) = world().await;
        fixture::apply_all(&app, 1).await;
        let supply = handle(&app, 0).await.unwrap();
        for (told, pool) in supply.pools.iter().zip(POOLS) {
            assert_eq!(
                (told.account.as_str(), told.balance_qirat),
                (pool.name, pool.supply.get())
            );
        }
        assert_eq!(supply.pools_qirat, supply.maximum_qirat);
    }
}
