//! `audit_log`.

use sea_orm::entity::prelude::*;

/// One line; its last three columns are empty until it is sealed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_log")]
pub struct Model {
    /// In the order of writing, which is not the order of commits.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// When it happened.
    pub at_ms: i64,
    /// The user who asked; `None` for nobody known and for the system.
    pub actor: Option<Uuid>,
    /// `/package.Service/Method`, or what the system did.
    pub action: String,
    /// What it was about.
    pub subject: String,
    /// `OK`, or the reason of the refusal.
    pub outcome: String,
    /// The call's id.
    pub request_id: String,
    /// The trace.
    pub traceparent: Option<String>,
    /// The client's address.
    pub client: String,
    /// The Fabric transaction.
    pub fabric_tx_id: Option<String>,
    /// Its place in the chain, from 1 without gaps.
    pub sequence: Option<i64>,
    /// The hash of the line before it in the chain.
    pub previous_hash: Option<Vec<u8>>,
    /// Its own hash.
    pub hash: Option<Vec<u8>>,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
