//! A lane: who works on it, and how far it is.

use sea_orm::entity::prelude::*;

/// One row of `lanes`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lanes")]
pub struct Model {
    /// Its name, such as `partner/3`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The process that holds the lease.
    pub owner: Option<String>,
    /// The lease's random token.
    pub token: Option<Uuid>,
    /// When the lease ends.
    pub lease_until_ms: i64,
    /// The number of the last command that a batch was formed with.
    pub formed_number: i64,
    /// The digest chained up to there.
    pub formed_digest: Vec<u8>,
    /// The number of the last command whose outcome was read from a block.
    pub settled_number: i64,
    /// The digest chained up to there.
    pub settled_digest: Vec<u8>,
    /// Whether the lane voided a command by itself, and no other batch became
    /// valid since.
    pub self_voided: bool,
    /// Why the lane holds; empty while it runs.
    pub held_reason: Option<String>,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
