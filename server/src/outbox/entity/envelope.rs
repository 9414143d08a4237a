//! A signed envelope, stored before it is sent and until the settled cursor has
//! passed it.

use sea_orm::entity::prelude::*;

/// One row of `envelopes`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "envelopes")]
pub struct Model {
    /// The lane.
    #[sea_orm(primary_key, auto_increment = false)]
    pub lane: String,
    /// The Fabric transaction.
    #[sea_orm(primary_key, auto_increment = false)]
    pub fabric_tx_id: String,
    /// Number of the batch's last command.
    pub end_number: i64,
    /// The digest chained up to there.
    pub end_digest: Vec<u8>,
    /// The envelope.
    pub envelope: Vec<u8>,
    /// When it was stored.
    pub created_ms: i64,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
