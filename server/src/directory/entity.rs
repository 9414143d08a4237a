//! Rows of the directory.

use sea_orm::entity::prelude::*;

/// One row of `directory`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "directory")]
pub struct Model {
    /// The account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: String,
    /// Whose it is; empty for pools, treasuries, and accounts that only the
    /// chain remembers.
    pub user_id: Option<Uuid>,
    /// What strangers see of the owner's name.
    pub masked_name: String,
    /// `gx.contract.v1.AccountType`; 0 until the account is open.
    #[sea_orm(column_name = "type")]
    pub account_type: i32,
    /// ISO 3166-1 alpha-2; empty for pools.
    pub country: String,
    /// Whether the chain has the account.
    pub opened: bool,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
