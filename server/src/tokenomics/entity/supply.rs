//! What a bucket held after a block that changed it, as far as the accounts of
//! one partition go.

use sea_orm::entity::prelude::*;

/// One row of `supply`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "supply")]
pub struct Model {
    /// The partition.
    #[sea_orm(primary_key, auto_increment = false)]
    pub partition: i32,
    /// The bucket: a pool's name, `TREASURIES` or `CIRCULATING`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub bucket: String,
    /// The block.
    #[sea_orm(primary_key, auto_increment = false)]
    pub block: i64,
    /// What the bucket holds from that block on, until its next row.
    pub total_qirat: i64,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
