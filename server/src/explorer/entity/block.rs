//! A block.

use sea_orm::{QueryOrder, QuerySelect, Select, entity::prelude::*};

/// One row of `blocks`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "blocks")]
pub struct Model {
    /// The block's number.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    /// SHA-256 of its header.
    pub hash: Vec<u8>,
    /// The hash of the block before; 32 zero bytes in block 0.
    pub previous_hash: Vec<u8>,
    /// The hash of its envelopes.
    pub data_hash: Vec<u8>,
    /// Its time.
    pub time_ms: i64,
    /// How many transactions it has.
    pub transactions: i32,
    /// How many of them are valid.
    pub valid: i32,
    /// How many commands the valid ones carry.
    pub commands: i32,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Blocks from `from` on and below `end`, in their order.
    pub fn range(from: i64, end: i64, limit: u64) -> Select<Self> {
        Self::find()
            .filter(Column::Number.gte(from))
            .filter(Column::Number.lt(end))
            .order_by_asc(Column::Number)
            .limit(limit)
    }

    /// Blocks below `end`, newest first.
    pub fn newest(end: i64, limit: u64) -> Select<Self> {
        Self::find()
            .filter(Column::Number.lt(end))
            .order_by_desc(Column::Number)
            .limit(limit)
    }
}
