//! A treasury's account, as far as everybody may know it: a read of `wallets`, which the
//! wallet's projection writes.

use sea_orm::entity::prelude::*;

/// Two columns of a row of `wallets`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "wallets")]
pub struct Model {
    /// The treasury's account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: String,
    /// All its coins, as the ledger has them.
    pub balance_qirat: i64,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
