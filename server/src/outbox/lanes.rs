//! Lanes: their cursors, and leases on them. A lease gives order and speed; that a
//! command takes effect once rests on the chain's cursor and on the lane row.

use gx_contract::lane::{FIRST_DIGEST, chain_digest};
use sea_orm::{
    ActiveValue::Set, DatabaseTransaction, IntoActiveModel, entity::prelude::*,
    sea_query::OnConflict,
};

use super::entity::lane::{ActiveModel, Column, Entity, Model};
use crate::{
    error::Result,
    id,
    store::{Lock, Store},
};

/// A place in a lane: the number of a command and the digest chained up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The command's number; 0 before the first.
    pub number: i64,
    /// The digest over all commands so far.
    pub digest: [u8; 32],
}

impl Cursor {
    /// The place before the first command.
    pub const START: Self = Self {
        number: 0,
        digest: FIRST_DIGEST,
    };

    /// The place that a number and the bytes of a digest name; bytes of another
    /// length name no place that exists.
    pub fn new(number: i64, digest: &[u8]) -> Self {
        Self {
            number,
            digest: digest.try_into().unwrap_or([0xff; 32]),
        }
    }

    /// The place after one more command.
    #[must_use]
    pub fn after(self, id: &[u8], request_digest: &[u8]) -> Self {
        Self {
            number: self.number + 1,
            digest: chain_digest(&self.digest, id, request_digest),
        }
    }
}

impl Model {
    /// The place up to which batches were formed.
    pub fn formed(&self) -> Cursor {
        Cursor::new(self.formed_number, &self.formed_digest)
    }

    /// The place up to which outcomes were read from blocks.
    pub fn settled(&self) -> Cursor {
        Cursor::new(self.settled_number, &self.settled_digest)
    }
}

/// Makes the rows of lanes that have none.
///
/// # Errors
/// If the database fails.
pub async fn create_in(tx: &DatabaseTransaction, names: Vec<String>) -> Result<()> {
    let rows = names.into_iter().map(|name| ActiveModel {
        name: Set(name),
        formed_digest: Set(FIRST_DIGEST.to_vec()),
        settled_digest: Set(FIRST_DIGEST.to_vec()),
        owner: Set(None),
        token: Set(None),
        lease_until_ms: Set(0),
        formed_number: Set(0),
        settled_number: Set(0),
        self_voided: Set(false),
        held_reason: Set(None),
    });
    Entity::insert_many(rows)
        .on_conflict(OnConflict::column(Column::Name).do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Takes the lease of a lane, if it is free, expired, or `owner`'s own: a process
/// that starts again need not wait for itself. Answers the lease's token.
///
/// # Errors
/// If the database fails.
pub async fn lease(
    store: &Store,
    lane: &str,
    owner: &str,
    now_ms: i64,
    lease_ms: i64,
) -> Result<Option<Uuid>> {
    let tx = store.begin().await?;
    let row = Entity::find_by_id(lane.to_owned())
        .for_update_skip_locked()
        .one(&tx)
        .await?;
    let free = row.filter(|row| {
        row.token.is_none() || row.lease_until_ms <= now_ms || row.owner.as_deref() == Some(owner)
    });
    let Some(row) = free else { return Ok(None) };
    let token = id::random_uuid();
    let mut row = row.into_active_model();
    row.owner = Set(Some(owner.to_owned()));
    row.token = Set(Some(token));
    row.lease_until_ms = Set(now_ms + lease_ms);
    // Whoever takes a lane over tries again what made it hold.
    row.held_reason = Set(None);
    row.update(&tx).await?;
    tx.commit().await?;
    Ok(Some(token))
}

/// Prolongs a lease; `false` if it is lost.
///
/// # Errors
/// If the database fails.
pub async fn renew(store: &Store, lane: &str, token: Uuid, until_ms: i64) -> Result<bool> {
    let renewed = Entity::update_many()
        .col_expr(Column::LeaseUntilMs, until_ms.into())
        .filter(Column::Name.eq(lane))
        .filter(Column::Token.eq(token))
        .exec(store.write())
        .await?;
    Ok(renewed.rows_affected == 1)
}

/// Gives the leases of a process back.
///
/// # Errors
/// If the database fails.
pub async fn give_back(store: &Store, owner: &str) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Token, Expr::value(None::<Uuid>))
        .col_expr(Column::LeaseUntilMs, 0.into())
        .filter(Column::Owner.eq(owner))
        .exec(store.write())
        .await?;
    Ok(())
}

/// Locks a lane's row; `None` if the token is not the lease's any more, and then
/// nothing may be written.
///
/// # Errors
/// If the database fails.
pub async fn lock_in(tx: &DatabaseTransaction, lane: &str, token: Uuid) -> Result<Option<Model>> {
    let row = Entity::find_by_id(lane.to_owned())
        .for_update()
        .one(tx)
        .await?;
    Ok(row.filter(|row| row.token == Some(token)))
}
