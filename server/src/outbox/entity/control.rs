//! The control row: what every process must agree on, and whether commands are
//! taken now.

use sea_orm::entity::prelude::*;

/// The one row of `control`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "control")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// Number of users' lanes, fixed for ever by Bootstrap.
    pub partner_lanes: i32,
    /// Number of partitions of the read model.
    pub partitions: i32,
    /// Number of the latest catching-up mark; 0 if there never was one.
    pub mark: i64,
    /// Number of the latest mark that was cleared.
    pub mark_cleared: i64,
    /// How many partitions an operator asked for; empty while nothing is to change.
    pub partitions_wanted: Option<i32>,
    /// The block at which all partitions stop to be dealt anew; empty as above.
    pub deal_block: Option<i64>,
}

impl Model {
    /// Whether the database went back and has not caught up with the ledger: then
    /// no command is taken and no batch is formed.
    pub fn catching_up(&self) -> bool {
        self.mark > self.mark_cleared
    }
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
