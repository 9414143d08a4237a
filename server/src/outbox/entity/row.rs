//! The body of a command that is not settled; gone once it is, kept if voided.

use sea_orm::entity::prelude::*;

/// One row of `outbox`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    /// The command's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The order in which commands came, within one lane's forming. The database gives it.
    pub position: i64,
    /// The lane that orders it; never changes.
    pub lane: String,
    /// Its place in the lane; empty until batched.
    pub number: Option<i64>,
    /// SHA-256 of what the client sent.
    pub request_digest: Vec<u8>,
    /// `gx.contract.v1.Command`, encoded.
    pub body: Vec<u8>,
    /// The account whose money its acceptance holds.
    pub held_account: Option<String>,
    /// How much it holds.
    pub held_qirat: i64,
    /// Whether an operator asked that it never run: a Void takes its place.
    pub abandoned: bool,
    /// Whether it was voided on the chain.
    pub voided: bool,
    /// How often a batch with it failed.
    pub attempts: i32,
    /// Not before this time again.
    pub next_attempt_ms: i64,
    /// What the last failure was.
    pub error_class: Option<String>,
    /// The trace that it belongs to.
    pub traceparent: Option<String>,
    /// When it was accepted.
    pub created_ms: i64,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
