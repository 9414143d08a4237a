//! From an `authorization` header to a caller, and from a session to its token.

use std::{sync::Arc, time::Duration};

use gx_proto::gx::common::v1::Reason;
use moka::sync::Cache;
use sea_orm::entity::prelude::*;
use sha2::{Digest, Sha256};

use super::{
    Caller, UserId, roles, session,
    token::{self, Claims},
};
use crate::{
    clock::SharedClock,
    config,
    error::{Error, Result},
    id,
    secrets::Secrets,
    store::{Gather, Store},
};

/// How many tokens are remembered whose signatures are good.
const REMEMBERED: u64 = 65_536;

/// Issues and verifies access tokens; cheap to clone.
#[derive(Debug, Clone)]
pub struct Authenticator {
    store: Store,
    sessions: Arc<Gather<Uuid, session::Model>>,
    clock: SharedClock,
    secrets: Arc<Secrets>,
    config: Arc<config::Token>,
    /// What tokens say that a key of ours signed, by the tokens' digests: whoever calls
    /// again is not made to wait for the signature again.
    signed: Cache<[u8; 32], Arc<Claims>>,
}

impl Authenticator {
    /// An authenticator for one issuer and audience.
    pub fn new(
        store: Store,
        clock: SharedClock,
        secrets: Arc<Secrets>,
        config: &config::Token,
    ) -> Self {
        Self {
            store,
            sessions: Arc::default(),
            clock,
            secrets,
            config: Arc::new(config.clone()),
            signed: Cache::builder()
                .max_capacity(REMEMBERED)
                .time_to_live(Duration::from_secs(config.ttl_s))
                .build(),
        }
    }

    /// Who calls, by the value of `authorization`. Roles are read from the session,
    /// never from the token.
    ///
    /// # Errors
    /// `TOKEN_MISSING`, `TOKEN_INVALID`, `TOKEN_EXPIRED`, `SESSION_REVOKED`; or if
    /// the database fails.
    pub async fn caller(&self, authorization: Option<&str>) -> Result<Caller> {
        let claims = self.claims(authorization)?;
        let known = async |ids: Vec<Uuid>| session::known(self.store.read(), &ids).await;
        let session = self.sessions.one(claims.sid, known).await?;
        let session = session
            .filter(|session| session.user_id == claims.sub && session.revoked_ms.is_none())
            .ok_or_else(|| Error::rejected(Reason::SessionRevoked, "the session was ended"))?;
        Ok(Caller {
            user: UserId(session.user_id),
            session: session.id,
            roles: roles::from_text(&session.roles),
        })
    }

    /// An access token of a session, as the session last got them.
    pub fn token(&self, session: &session::Model) -> String {
        let claims = Claims {
            iss: self.config.issuer.clone(),
            aud: self.config.audience.clone(),
            sub: session.user_id,
            sid: session.id,
            jti: id::random_uuid(),
            iat: session.tokens_ms().div_euclid(1_000),
            exp: session.expire_ms.div_euclid(1_000),
        };
        token::sign(self.secrets.signing(), &claims)
    }

    fn claims(&self, authorization: Option<&str>) -> Result<Arc<Claims>> {
        let token = bearer(authorization)?;
        let claims = self
            .signed(token)
            .filter(|claims| claims.iss == self.config.issuer)
            .filter(|claims| claims.aud == self.config.audience)
            .ok_or_else(|| Error::rejected(Reason::TokenInvalid, "the access token is invalid"))?;
        if self.clock.now_ms().div_euclid(1_000) >= claims.exp {
            let message = "the access token has expired";
            return Err(Error::rejected(Reason::TokenExpired, message));
        }
        Ok(claims)
    }

    /// What a token says, if one of our keys signed it.
    fn signed(&self, token: &str) -> Option<Arc<Claims>> {
        let digest = Sha256::digest(token).into();
        let verified = || token::verify(&self.secrets.token, token).map(Arc::new);
        self.signed.optionally_get_with(digest, verified)
    }
}

fn bearer(authorization: Option<&str>) -> Result<&str> {
    let missing = || Error::rejected(Reason::TokenMissing, "an access token is needed");
    let value = authorization
        .map(str::trim)
        .filter(|value| !value.is_empty());
    let (scheme, token) = value
        .ok_or_else(missing)?
        .split_once(' ')
        .unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim_start())
    } else {
        let message = "authorization must be Bearer and an access token";
        Err(Error::rejected(Reason::TokenInvalid, message))
    }
}
