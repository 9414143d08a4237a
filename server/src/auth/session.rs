//! A session: one login. Its roles are what its calls may do.

use std::collections::HashMap;

use gx_proto::gx::{common::v1::Reason, identity::v1::Role};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryFilter, Set, entity::prelude::*};

use super::{Caller, UserId, roles};
use crate::{error::Result, id, store::bulk};

/// How long an ended session is kept, so that its token hears SESSION_REVOKED or
/// TOKEN_EXPIRED.
const KEEP_MS: i64 = 24 * 60 * 60 * 1_000;

/// One row of `sessions`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// The session's id, `sid` in its tokens.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// The user's roles at login.
    pub roles: String,
    /// When it was opened.
    pub created_ms: i64,
    /// When its access token ends, and it with it.
    pub expire_ms: i64,
    /// When it was ended before its time.
    pub revoked_ms: Option<i64>,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Opens a session for somebody who proved to be the user, and forgets the user's
/// sessions that ended long ago.
///
/// # Errors
/// If the database fails.
pub async fn open_in(
    tx: &DatabaseTransaction,
    now_ms: i64,
    user: UserId,
    user_roles: &[Role],
    ttl_s: u64,
) -> Result<Model> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user.0))
        .filter(Column::ExpireMs.lt(now_ms - KEEP_MS))
        .exec(tx)
        .await?;
    // Whole seconds, because a token's `exp` has no others.
    let expire_s = now_ms.div_euclid(1_000) + i64::try_from(ttl_s).unwrap_or(0);
    let session = ActiveModel {
        id: Set(id::random_uuid()),
        user_id: Set(user.0),
        roles: Set(roles::to_text(user_roles)),
        created_ms: Set(now_ms),
        expire_ms: Set(expire_s * 1_000),
        revoked_ms: Set(None),
    };
    Ok(session.insert(tx).await?)
}

/// Why each of these sessions has ended; `None` for one that lasts.
///
/// # Errors
/// If the database fails.
pub async fn ended(
    db: &impl ConnectionTrait,
    now_ms: i64,
    sessions: &[Uuid],
) -> Result<Vec<(Uuid, Option<Reason>)>> {
    let known = known(db, sessions).await?;
    let ended = |id: &Uuid| match known.get(id) {
        Some(row) if row.revoked_ms.is_some() => Some(Reason::SessionRevoked),
        Some(row) if row.expire_ms <= now_ms => Some(Reason::TokenExpired),
        Some(_) => None,
        // It is forgotten a day after its end.
        None => Some(Reason::SessionRevoked),
    };
    Ok(sessions.iter().map(|id| (*id, ended(id))).collect())
}

/// These sessions, ended ones too, by their ids.
///
/// # Errors
/// If the database fails.
pub(super) async fn known(
    db: &impl ConnectionTrait,
    sessions: &[Uuid],
) -> Result<HashMap<Uuid, Model>> {
    let mut known = HashMap::with_capacity(sessions.len());
    for chunk in sessions.chunks(bulk::rows_of(1)) {
        let rows = Entity::find().filter(bulk::among(db, Column::Id, chunk.iter().copied()));
        known.extend(rows.all(db).await?.into_iter().map(|row| (row.id, row)));
    }
    Ok(known)
}

/// Ends all other sessions of the caller.
///
/// # Errors
/// If the database fails.
pub async fn revoke_others_in(
    tx: &DatabaseTransaction,
    now_ms: i64,
    caller: &Caller,
) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::RevokedMs, Expr::value(now_ms))
        .filter(Column::UserId.eq(caller.user.0))
        .filter(Column::Id.ne(caller.session))
        .filter(Column::RevokedMs.is_null())
        .exec(tx)
        .await?;
    Ok(())
}
