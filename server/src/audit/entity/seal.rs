//! `audit_seal`: one row.

use sea_orm::entity::prelude::*;

/// The id of the row.
pub const ID: i32 = 1;

/// The head of the chain, and who may make it longer.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_seal")]
pub struct Model {
    /// Always [`ID`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// The process that holds the lease.
    pub owner: Option<String>,
    /// The lease's random token.
    pub token: Option<Uuid>,
    /// When the lease ends.
    pub lease_until_ms: i64,
    /// The last line's place in the chain; 0 before the first.
    pub sequence: i64,
    /// The last line's hash; 32 zero bytes before the first.
    pub hash: Vec<u8>,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
