//! A Fabric transaction with what it did.

use sea_orm::{QueryOrder, QuerySelect, Select, entity::prelude::*};

/// One row of `transactions`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "transactions")]
pub struct Model {
    /// The block.
    #[sea_orm(primary_key, auto_increment = false)]
    pub block: i64,
    /// Its place in the block.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i32,
    /// The Fabric transaction's id; empty where it is none.
    pub fabric_tx_id: String,
    /// What the peers made of it: Fabric's validation code.
    pub flag: i32,
    /// The lane whose batch it carried; empty where it carried none.
    pub lane: String,
    /// The number of its first command; 0 where there is none.
    pub first_number: i64,
    /// How many commands it carried.
    pub commands: i32,
    /// The encoded `gx.contract.v1.BatchCommitted`, as the block has it.
    pub event: Option<Vec<u8>>,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// The transactions of the blocks from `first` to `last`, in their order.
    pub fn of_blocks(first: i64, last: i64) -> Select<Self> {
        Self::find()
            .filter(Column::Block.between(first, last))
            .order_by_asc(Column::Block)
            .order_by_asc(Column::Position)
    }

    /// The transaction with this id in the blocks below `end`. Later copies, which
    /// peers refuse, are not it.
    pub fn named(fabric_tx_id: &str, end: i64) -> Select<Self> {
        Self::find()
            .filter(Column::FabricTxId.eq(fabric_tx_id))
            .filter(Column::Block.lt(end))
            .order_by_asc(Column::Block)
            .order_by_asc(Column::Position)
            .limit(1)
    }
}
