//! The only writer of countries and supply. The projector calls it in its
//! transaction, with the facts of one partition and of a group of blocks in
//! their order.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, anyhow};
use gx_proto::gx::contract::v1::{AccountCreated, AccountType, CountryState};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder,
};

use super::{
    bucket_of,
    entity::{country, supply},
};
use crate::{
    error::Result,
    store::{Lock, bulk},
};

/// A change of what a bucket holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The block.
    pub block: i64,
    /// The bucket.
    pub bucket: &'static str,
    /// The change; negative where coins left the bucket.
    pub delta_qirat: i64,
}

impl Change {
    /// The change that a posting to an account brings.
    pub fn of(block: i64, account: &str, delta_qirat: i64) -> Self {
        Self {
            block,
            bucket: bucket_of(account),
            delta_qirat,
        }
    }
}

/// Loads countries.
///
/// # Errors
/// If one is loaded already, or the database fails.
pub async fn countries_loaded_in(
    tx: &DatabaseTransaction,
    countries: &[CountryState],
) -> Result<()> {
    let rows: Vec<_> = countries.iter().map(row).collect::<anyhow::Result<_>>()?;
    Ok(bulk::insert_in(tx, rows).await?)
}

/// Counts accounts that were made for their countries: people, grants and slots.
///
/// # Errors
/// If a country is not loaded or has no such slot left, or the database fails.
pub async fn accounts_created_in(
    tx: &DatabaseTransaction,
    accounts: &[AccountCreated],
) -> Result<()> {
    let mut countries = locked_in(tx, accounts).await?;
    for account in accounts {
        let country = countries
            .get_mut(account.country.as_str())
            .ok_or_else(|| anyhow!("the country {} is not loaded", account.country))?;
        count(country, account).with_context(|| account.account.clone())?;
    }
    for country in countries.into_values() {
        country.into_active_model().reset_all().update(tx).await?;
    }
    Ok(())
}

/// Writes what buckets hold after the blocks that changed them.
///
/// # Errors
/// If one of the blocks is written already, or the database fails.
pub async fn supply_in(tx: &DatabaseTransaction, partition: i32, changes: &[Change]) -> Result<()> {
    let mut nets = BTreeMap::<_, i64>::new();
    for change in changes {
        *nets.entry((change.bucket, change.block)).or_default() += change.delta_qirat;
    }
    let mut totals = BTreeMap::new();
    let mut rows = Vec::with_capacity(nets.len());
    for ((bucket, block), net) in nets {
        let before = match totals.get(bucket) {
            Some(total) => *total,
            None => last_total(tx, partition, bucket).await?,
        };
        let total_qirat = before + net;
        totals.insert(bucket, total_qirat);
        rows.push(supply::Model {
            partition,
            bucket: bucket.to_owned(),
            block,
            total_qirat,
        });
    }
    Ok(bulk::insert_in(tx, rows).await?)
}

fn row(state: &CountryState) -> anyhow::Result<country::Model> {
    Ok(country::Model {
        code: state.country.clone(),
        share_ppb: i32::try_from(state.share_ppb)?,
        slots_left: serde_json::to_string(&state.slots_left)?,
        people: 0,
        granted_qirat: 0,
    })
}

async fn locked_in(
    tx: &DatabaseTransaction,
    accounts: &[AccountCreated],
) -> Result<BTreeMap<String, country::Model>> {
    if accounts.is_empty() {
        return Ok(BTreeMap::new());
    }
    let codes: BTreeSet<_> = accounts
        .iter()
        .map(|account| account.country.as_str())
        .collect();
    let rows = country::Entity::find()
        .filter(country::Column::Code.is_in(codes))
        .order_by_asc(country::Column::Code)
        .for_update()
        .all(tx)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.code.clone(), row))
        .collect())
}

fn count(country: &mut country::Model, account: &AccountCreated) -> anyhow::Result<()> {
    if account.r#type() == AccountType::Person {
        country.people += 1;
    }
    if account.phase == 0 {
        return Ok(());
    }
    let mut slots = country.slots()?;
    let left = usize::try_from(account.phase - 1)
        .ok()
        .and_then(|phase| slots.get_mut(phase))
        .filter(|left| **left > 0)
        .with_context(|| format!("{} has no slot in phase {}", country.code, account.phase))?;
    *left -= 1;
    country.slots_left = serde_json::to_string(&slots)?;
    country.granted_qirat += i64::try_from(account.grant_qirat)?;
    Ok(())
}

async fn last_total(tx: &DatabaseTransaction, partition: i32, bucket: &str) -> Result<i64> {
    let last = supply::Entity::find()
        .filter(supply::Column::Partition.eq(partition))
        .filter(supply::Column::Bucket.eq(bucket))
        .order_by_desc(supply::Column::Block)
        .one(tx)
        .await?;
    Ok(last.map_or(0, |row| row.total_qirat))
}
