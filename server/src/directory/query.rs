//! Reads of the directory: what everybody may see of an account, and, for
//! projections, whose it is.

use std::collections::{BTreeSet, HashMap};

use gx_proto::gx::contract::v1::AccountType;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use super::entity::{Column, Entity, Model};
use crate::{auth::UserId, error::Result, store::bulk};

/// What everybody may see of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The owner's masked name; a pool's or treasury's in full.
    pub masked_name: String,
    /// What it is; `Unspecified` until it is open.
    pub account_type: AccountType,
    /// ISO 3166-1 alpha-2; empty for pools.
    pub country: String,
    /// Whether the chain has it.
    pub opened: bool,
}

/// The listings of accounts; one that is not listed is absent.
///
/// # Errors
/// If the database fails.
pub async fn lookup(
    db: &impl ConnectionTrait,
    accounts: impl IntoIterator<Item = &str>,
) -> Result<HashMap<String, Listing>> {
    let accounts: Vec<_> = distinct(accounts);
    let mut listings = HashMap::with_capacity(accounts.len());
    for chunk in accounts.chunks(bulk::rows_of(1)) {
        let rows = Entity::find()
            .filter(bulk::among(db, Column::Account, chunk.iter().copied()))
            .all(db)
            .await?;
        listings.extend(
            rows.into_iter()
                .map(|row| (row.account.clone(), row.into())),
        );
    }
    Ok(listings)
}

/// The owners of accounts; one that nobody has claimed is absent.
///
/// # Errors
/// If the database fails.
pub async fn owner_in(
    tx: &impl ConnectionTrait,
    accounts: impl IntoIterator<Item = &str>,
) -> Result<HashMap<String, UserId>> {
    let mut owners = HashMap::new();
    for chunk in distinct(accounts).chunks(bulk::rows_of(1)) {
        let rows: Vec<(String, uuid::Uuid)> = Entity::find()
            .select_only()
            .columns([Column::Account, Column::UserId])
            .filter(bulk::among(tx, Column::Account, chunk.iter().copied()))
            .filter(Column::UserId.is_not_null())
            .into_tuple()
            .all(tx)
            .await?;
        owners.extend(
            rows.into_iter()
                .map(|(account, user)| (account, UserId(user))),
        );
    }
    Ok(owners)
}

fn distinct<'a>(accounts: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let accounts: BTreeSet<_> = accounts.into_iter().collect();
    accounts.into_iter().collect()
}

impl From<Model> for Listing {
    fn from(row: Model) -> Self {
        Self {
            masked_name: row.masked_name,
            account_type: AccountType::try_from(row.account_type).unwrap_or_default(),
            country: row.country,
            opened: row.opened,
        }
    }
}
