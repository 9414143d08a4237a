//! A session: one login and what was refreshed from it. Its roles are what its calls
//! may do.

use std::collections::HashMap;

use gx_proto::gx::{common::v1::Reason, identity::v1::Role};
use sea_orm::{
    Condition, ConnectionTrait, DatabaseTransaction, IntoActiveModel, QueryFilter, Select,
    entity::prelude::*,
};

use super::{Caller, UserId, refresh::RefreshToken, roles};
use crate::{config::Config, error::Result, id, store::bulk};

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
    /// The user's roles when it last got tokens.
    pub roles: String,
    /// When it was opened.
    pub created_ms: i64,
    /// When its latest access token ends, and its open streams with it.
    pub expire_ms: i64,
    /// When it was ended before its time.
    pub revoked_ms: Option<i64>,
    /// What its user knows it by.
    pub label: Option<String>,
    /// Stands for the refresh token that may be exchanged; `None` in a session that
    /// ends with its access token.
    pub refresh_hash: Option<Vec<u8>>,
    /// When it last got tokens.
    pub refreshed_ms: Option<i64>,
    /// Until when the refresh token may be exchanged; not before the access token ends.
    pub refresh_until_ms: Option<i64>,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// A session that begins, with an access token of so long a life alone.
    pub fn begun(now_ms: i64, user: UserId, user_roles: &[Role], ttl_s: u64) -> Self {
        Self {
            id: id::random_uuid(),
            user_id: user.0,
            roles: roles::to_text(user_roles),
            created_ms: now_ms,
            expire_ms: whole_seconds(after(now_ms, ttl_s)),
            revoked_ms: None,
            label: None,
            refresh_hash: None,
            refreshed_ms: None,
            refresh_until_ms: None,
        }
    }

    /// The session with its next tokens, which live as the settings say, and none
    /// longer than the session.
    #[must_use]
    pub fn refreshed(self, now_ms: i64, config: &Config, refresh_hash: [u8; 32]) -> Self {
        let end_ms = after(self.created_ms, config.session.lifetime_s);
        let expire_ms = after(now_ms, config.token.ttl_s).min(end_ms);
        Self {
            expire_ms: whole_seconds(expire_ms),
            refresh_hash: Some(refresh_hash.into()),
            refreshed_ms: Some(now_ms),
            refresh_until_ms: Some(after(now_ms, config.session.idle_s).min(end_ms)),
            ..self
        }
    }

    /// When it last got tokens.
    pub fn tokens_ms(&self) -> i64 {
        self.refreshed_ms.unwrap_or(self.created_ms)
    }

    /// When it ends unless it is refreshed before.
    pub fn end_ms(&self) -> i64 {
        self.refresh_until_ms.unwrap_or(self.expire_ms)
    }
}

fn after(now_ms: i64, seconds: u64) -> i64 {
    let millis = i64::try_from(seconds).unwrap_or(0).saturating_mul(1_000);
    now_ms.saturating_add(millis)
}

/// A token's `exp` has no others.
fn whole_seconds(ms: i64) -> i64 {
    ms.div_euclid(1_000) * 1_000
}

impl Entity {
    /// The caller's own sessions that have not ended.
    pub fn lasting(caller: &Caller, now_ms: i64) -> Select<Self> {
        let lasts = Condition::any()
            .add(Column::ExpireMs.gt(now_ms))
            .add(Column::RefreshUntilMs.gt(now_ms));
        Self::find()
            .filter(Column::UserId.eq(caller.user.0))
            .filter(Column::RevokedMs.is_null())
            .filter(lasts)
    }

    /// One of the caller's own sessions, whether it lasts or not.
    pub fn own(caller: &Caller, id: Uuid) -> Select<Self> {
        Self::find_by_id(id).filter(Column::UserId.eq(caller.user.0))
    }

    /// The session of whoever has a refresh token of it.
    pub fn of_token(token: &RefreshToken) -> Select<Self> {
        Self::find_by_id(token.session())
    }
}

/// Opens a session for somebody who proved to be its user, and forgets the user's
/// sessions that ended long ago.
///
/// # Errors
/// If the database fails.
pub async fn open_in(tx: &DatabaseTransaction, now_ms: i64, session: Model) -> Result<Model> {
    let long_ago = now_ms - KEEP_MS;
    let cannot_be_refreshed = Condition::any()
        .add(Column::RefreshUntilMs.is_null())
        .add(Column::RefreshUntilMs.lt(long_ago))
        .add(Column::RevokedMs.lt(long_ago));
    Entity::delete_many()
        .filter(Column::UserId.eq(session.user_id))
        .filter(Column::ExpireMs.lt(long_ago))
        .filter(cannot_be_refreshed)
        .exec(tx)
        .await?;
    Ok(session.into_active_model().insert(tx).await?)
}

/// Writes a session that got its next tokens.
///
/// # Errors
/// If the database fails.
pub async fn save_in(tx: &DatabaseTransaction, session: Model) -> Result<Model> {
    let row = session.into_active_model().reset_all();
    Ok(row.update(tx).await?)
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

/// Ends one session.
///
/// # Errors
/// If the database fails.
pub async fn revoke_in(tx: &DatabaseTransaction, now_ms: i64, session: Uuid) -> Result<()> {
    let one = Condition::all().add(Column::Id.eq(session));
    revoke_which_in(tx, now_ms, one).await
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
    let others = Condition::all()
        .add(Column::UserId.eq(caller.user.0))
        .add(Column::Id.ne(caller.session));
    revoke_which_in(tx, now_ms, others).await
}

async fn revoke_which_in(tx: &DatabaseTransaction, now_ms: i64, which: Condition) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::RevokedMs, Expr::value(now_ms))
        .filter(which)
        .filter(Column::RevokedMs.is_null())
        .exec(tx)
        .await?;
    Ok(())
}
