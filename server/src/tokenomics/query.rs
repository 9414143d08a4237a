//! Reads of the currency's read model.

use std::collections::HashMap;

use anyhow::Context;
use gx_contract::{
    account::POOLS,
    genesis::{PHASE_COUNT, PHASES},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, Statement,
};

use super::{
    CIRCULATING, TREASURIES,
    entity::{country, treasury},
};
use crate::error::Result;

/// For every partition that there ever was, and every bucket, the last row up to the
/// block, each found by its key: the table keeps a row a change, for ever.
const TOTALS_AT: &str = r#"
-- tokenomics::query::totals_at
with recursive dealt(number) as (
    select min(supply."partition") from supply
    union all
    select (select min(supply."partition") from supply where supply."partition" > dealt.number)
    from dealt where dealt.number is not null
)
select buckets.column1 as bucket, cast(sum(coalesce((
    select supply.total_qirat from supply
    where supply."partition" = dealt.number
      and supply.bucket = buckets.column1
      and supply.block <= $1
    order by supply.block desc limit 1
), 0)) as bigint) as total_qirat
from (values ($2), ($3), ($4), ($5), ($6), ($7), ($8), ($9)) as buckets
left join dealt on dealt.number is not null
group by buckets.column1
"#;

#[derive(FromQueryResult)]
struct Total {
    bucket: String,
    total_qirat: i64,
}

/// What every bucket holds at a block that all partitions have applied.
///
/// # Errors
/// If the database fails.
pub async fn totals_at(db: &impl ConnectionTrait, block: u64) -> Result<HashMap<String, u64>> {
    let block = i64::try_from(block).context("a block beyond all numbers")?;
    let buckets = POOLS
        .iter()
        .map(|pool| pool.name)
        .chain([TREASURIES, CIRCULATING]);
    let values = std::iter::once(block.into()).chain(buckets.map(Into::into));
    let backend = db.get_database_backend();
    let statement = Statement::from_sql_and_values(backend, TOTALS_AT, values);
    let totals = Total::find_by_statement(statement).all(db).await?;
    let totals = totals.into_iter().map(|total| {
        let qirat = u64::try_from(total.total_qirat).context("a bucket below 0")?;
        Ok((total.bucket, qirat))
    });
    Ok(totals.collect::<anyhow::Result<_>>()?)
}

/// Slots left over all countries, phases 1 to 6 in order; all of them before countries
/// are loaded.
pub(super) async fn slots_left(db: &impl ConnectionTrait) -> Result<[u64; PHASE_COUNT]> {
    let countries = country::Entity::find().all(db).await?;
    if countries.is_empty() {
        return Ok(PHASES.map(|phase| phase.people));
    }
    let mut left = [0; PHASE_COUNT];
    for country in countries {
        for (sum, slots) in left.iter_mut().zip(country.slots()?) {
            *sum += slots;
        }
    }
    Ok(left)
}

/// What a treasury holds; 0 if its account is not open.
pub(super) async fn treasury_balance(db: &impl ConnectionTrait, account: &str) -> Result<u64> {
    let treasury = treasury::Entity::find_by_id(account).one(db).await?;
    let balance = treasury.map_or(0, |treasury| treasury.balance_qirat);
    Ok(u64::try_from(balance).context("a balance below 0")?)
}

/// Countries in order of their codes.
pub(super) async fn countries_after(
    db: &impl ConnectionTrait,
    after: Option<&str>,
    limit: u64,
) -> Result<Vec<country::Model>> {
    let mut countries = country::Entity::find();
    if let Some(after) = after {
        countries = countries.filter(country::Column::Code.gt(after));
    }
    let countries = countries.order_by_asc(country::Column::Code).limit(limit);
    Ok(countries.all(db).await?)
}
