//! Exchanges a refresh token. Of all who present one token, one exchange takes effect;
//! the same exchange again is answered alike for a short time, and whoever exchanges the
//! token otherwise ends the session, since two have it.

use gx_proto::gx::{
    common::v1::Reason,
    identity::v1::{RefreshSessionRequest, RefreshSessionResponse},
};
use sea_orm::{DatabaseTransaction, entity::prelude::*};
use secrecy::SecretString;

use super::{conclude::conclude, entity::user, names};
use crate::{
    app::App,
    audit::Entry,
    auth::{Context, RefreshToken, UserId, session},
    clock::timestamp,
    error::{Error, Result, Violations},
    store::Lock,
};

/// Most characters of a token.
const TOKEN_MAX: usize = 100;

/// An exchange.
#[derive(Debug)]
pub(super) struct RefreshSession {
    token: SecretString,
    request_id: Uuid,
}

impl TryFrom<RefreshSessionRequest> for RefreshSession {
    type Error = Error;

    fn try_from(message: RefreshSessionRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let token = violations.take("refresh_token", token(message.refresh_token));
        let request_id = Uuid::try_parse(&message.request_id).map_err(|_| "must be a UUID");
        let request_id = violations.take("request_id", request_id);
        let both = token.zip(request_id);
        violations.finish(both.map(|(token, request_id)| Self { token, request_id }))
    }
}

/// Any text that may be a token; whether it is one is told without a field.
fn token(text: String) -> Result<SecretString, &'static str> {
    match text.len() {
        0 => Err("is required"),
        1..=TOKEN_MAX => Ok(text.into()),
        _ => Err("must have at most 100 characters"),
    }
}

/// Who presents a token, and what of: both rows are locked, the user's first, as
/// everybody locks them.
struct Presented {
    user: user::Model,
    session: session::Model,
}

/// What presenting a token means.
enum Meaning {
    /// It may be exchanged.
    Exchange,
    /// It was exchanged just now, by the same request.
    Again,
    /// It was exchanged by somebody else, or long ago.
    Reuse,
}

impl RefreshSession {
    pub(super) async fn handle(
        self,
        app: &App,
        context: &Context,
    ) -> Result<RefreshSessionResponse> {
        let token = RefreshToken::read(&app.secrets, &self.token).ok_or_else(no_token)?;
        let name = names::name(names::SESSIONS, token.session());
        context.about(name.clone());

        let now_ms = app.clock.now_ms();
        let next = token.next(&app.secrets, self.request_id);
        let tx = app.store.begin().await?;
        let presented = Presented::lock_in(&tx, now_ms, &token).await?;
        let entry = Entry::of_call(context, Some(UserId(presented.session.user_id)), name);
        let outcome = presented.step_in(&tx, app, now_ms, &token, &next).await?;
        let session = conclude(tx, now_ms, entry, outcome).await?;
        Ok(RefreshSessionResponse {
            access_token: app.auth.token(&session),
            expire_time: Some(timestamp(session.expire_ms)),
            refresh_token: next.write(&app.secrets),
            refresh_expire_time: Some(timestamp(session.end_ms())),
        })
    }
}

impl Presented {
    async fn lock_in(tx: &DatabaseTransaction, now_ms: i64, token: &RefreshToken) -> Result<Self> {
        let find = session::Entity::of_token(token);
        let seen = find.clone().one(tx).await?.ok_or_else(ended)?;
        let user = user::of_session(&seen).for_share().one(tx).await?;
        let user = user.ok_or_else(ended)?;
        let session = find.for_update().one(tx).await?.ok_or_else(ended)?;
        if session.revoked_ms.is_some() {
            return Err(ended());
        }
        if session.end_ms() <= now_ms {
            let message = "the session's time is over: log in again";
            return Err(Error::rejected(Reason::TokenExpired, message));
        }
        Ok(Self { user, session })
    }

    /// The session with the tokens that the next refresh token is one of; or the
    /// refusal, once what it leaves behind is written.
    async fn step_in(
        self,
        tx: &DatabaseTransaction,
        app: &App,
        now_ms: i64,
        token: &RefreshToken,
        next: &RefreshToken,
    ) -> Result<Result<session::Model>> {
        match self.meaning(app, now_ms, token, next) {
            Meaning::Reuse => {
                session::revoke_in(tx, now_ms, self.session.id).await?;
                Ok(Err(reused()))
            }
            _ if self.user.may_not_log_in() => Ok(Err(self.user.status_refusal())),
            Meaning::Again => Ok(Ok(self.session)),
            Meaning::Exchange => {
                let session = session::Model {
                    roles: self.user.roles.clone(),
                    ..self.session
                };
                let session = session.refreshed(now_ms, &app.config, next.hash(&app.secrets));
                Ok(Ok(session::save_in(tx, session).await?))
            }
        }
    }

    fn meaning(
        &self,
        app: &App,
        now_ms: i64,
        token: &RefreshToken,
        next: &RefreshToken,
    ) -> Meaning {
        let current = self.session.refresh_hash.as_deref();
        let retry_ms = i64::try_from(app.config.session.retry_s).unwrap_or(0) * 1_000;
        let just_now = now_ms < self.session.tokens_ms() + retry_ms;
        if token.is(&app.secrets, current) {
            Meaning::Exchange
        } else if just_now && next.is(&app.secrets, current) {
            Meaning::Again
        } else {
            Meaning::Reuse
        }
    }
}

fn no_token() -> Error {
    Error::rejected(Reason::TokenInvalid, "the refresh token is invalid")
}

fn ended() -> Error {
    Error::rejected(Reason::SessionRevoked, "the session was ended")
}

fn reused() -> Error {
    let message = "the refresh token was exchanged before, so the session was ended";
    Error::rejected(Reason::RefreshTokenReused, message)
}

#[cfg(test)]
mod tests;
