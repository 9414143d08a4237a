//! A command's permanent, slim record; never deleted.

use std::collections::BTreeSet;

use sea_orm::{DatabaseTransaction, entity::prelude::*, sea_query::OnConflict};

use crate::store::bulk;

/// One row of `operations`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "operations")]
pub struct Model {
    /// The command's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who asked; empty where only the chain remembers the command.
    pub owner: Option<String>,
    /// What the client named it; empty as `owner`.
    pub request_id: Option<Uuid>,
    /// SHA-256 of what the client sent.
    pub request_digest: Vec<u8>,
    /// `gx.operation.v1.OperationType`.
    pub kind: i32,
    /// `gx.operation.v1.OperationState`, but never STALLED, which is a state of
    /// the lane.
    pub state: i32,
    /// `gx.common.v1.Reason` of a refusal.
    pub reason: Option<i32>,
    /// The refusal's metadata, a JSON object of strings.
    pub reason_metadata: Option<String>,
    /// `gx.operation.v1.OperationResult`, encoded.
    pub result: Option<Vec<u8>>,
    /// A text for both sides that stays off the chain.
    pub memo: Option<String>,
    /// The lane that orders it.
    pub lane: String,
    /// Its number in the lane, once settled.
    pub number: Option<i64>,
    /// The Fabric transaction that carried it, once settled.
    pub fabric_tx_id: Option<String>,
    /// The block of that transaction.
    pub block: Option<i64>,
    /// When it was accepted, or refused at the door.
    pub created_ms: i64,
    /// When it was first sent.
    pub submitted_ms: Option<i64>,
    /// When its outcome was read from a block.
    pub settled_ms: Option<i64>,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Inserts rows as far as they are not there; the ids of those that were not.
///
/// # Errors
/// If the database fails.
pub async fn insert_those_missing_in(
    tx: &DatabaseTransaction,
    rows: &[ActiveModel],
) -> Result<BTreeSet<Uuid>, DbErr> {
    let nothing = OnConflict::column(Column::Id).do_nothing().to_owned();
    insert_or_in(tx, rows, &nothing).await
}

/// Inserts rows, or does to those that are there what is said; the ids of all that were
/// inserted or changed.
///
/// # Errors
/// If the database fails.
pub async fn insert_or_in(
    tx: &DatabaseTransaction,
    rows: &[ActiveModel],
    conflict: &OnConflict,
) -> Result<BTreeSet<Uuid>, DbErr> {
    let written = bulk::insert_returning_in(tx, rows, |insert| {
        insert
            .on_conflict(conflict.clone())
            .returning_col(Column::Id);
    });
    let written = written.await?;
    written.iter().map(|row| row.try_get_by_index(0)).collect()
}
