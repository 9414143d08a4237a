//! Registrations that were begun.

use sea_orm::{DatabaseTransaction, PaginatorTrait, QueryFilter, Select, entity::prelude::*};

use super::super::{codes::TokenHash, contact::Contact};
use crate::error::Result;

/// How long a registration is remembered after its end.
const KEEP_MS: i64 = 24 * 60 * 60 * 1_000;

/// One row of `registrations`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "registrations")]
pub struct Model {
    /// Keyed hash of the registration's token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_hash: Vec<u8>,
    /// The contact to prove, normalised.
    pub contact: String,
    /// Keyed hash of the one-time code; of nothing where none was sent.
    pub code_hash: Vec<u8>,
    /// Wrong codes so far; after the proof, wrong repetitions of the completion.
    pub tries: i32,
    /// When the code ends.
    pub code_expire_ms: i64,
    /// Whether the contact is proven.
    pub verified: bool,
    /// When the registration ends.
    pub expire_ms: i64,
    /// Whom it made, once completed.
    pub user_id: Option<Uuid>,
    /// When it was begun.
    pub created_ms: i64,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The registration of whoever has the token, if it has not ended.
pub(in crate::identity) fn holding(token: &TokenHash, now_ms: i64) -> Select<Entity> {
    Entity::find_by_id(token.0.to_vec()).filter(Column::ExpireMs.gt(now_ms))
}

/// How many registrations of a contact were begun since then.
///
/// # Errors
/// If the database fails.
pub(in crate::identity) async fn begun_since(
    tx: &DatabaseTransaction,
    contact: &Contact,
    since_ms: i64,
) -> Result<u64> {
    let begun = Entity::find()
        .filter(Column::Contact.eq(contact.as_str()))
        .filter(Column::CreatedMs.gt(since_ms));
    Ok(begun.count(tx).await?)
}

/// Forgets registrations that ended long ago.
///
/// # Errors
/// If the database fails.
pub async fn forget_in(tx: &DatabaseTransaction, now_ms: i64) -> Result<()> {
    let ended = Column::ExpireMs.lt(now_ms - KEEP_MS);
    Entity::delete_many().filter(ended).exec(tx).await?;
    Ok(())
}
