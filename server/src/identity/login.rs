//! Opens a session for whoever knows a contact and its password. Every path takes
//! exactly one password verification and decides after it, so neither time nor the
//! answer tells who exists.

use std::borrow::Cow;

use gx_proto::gx::identity::v1::{LoginRequest, LoginResponse};
use sea_orm::DatabaseTransaction;

use super::{attempts, conclude::conclude, contact::Contact, entity::user, names, person};
use crate::{
    app::App,
    audit::Entry,
    auth::{Context, Password, RefreshToken, session},
    clock::timestamp,
    error::{Error, Result, Violations},
    store::Lock,
};

/// Somebody who wants to sign in.
#[derive(Debug)]
pub(super) struct Login {
    contact: Contact,
    password: Password,
    label: String,
}

impl TryFrom<LoginRequest> for Login {
    type Error = Error;

    fn try_from(message: LoginRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let contact = violations.take("contact", Contact::known(&message.contact));
        let password = violations.take("password", person::password(&message.password));
        let label = violations.take("label", label(&message.label));
        let login = || {
            Some(Self {
                contact: contact?,
                password: password?,
                label: label?,
            })
        };
        violations.finish(login())
    }
}

/// What somebody calls a session; may be nothing.
fn label(text: &str) -> Result<String, Cow<'static, str>> {
    match text.trim() {
        "" => Ok(String::new()),
        text => person::name(text),
    }
}

impl Login {
    pub(super) async fn handle(self, app: &App, context: &Context) -> Result<LoginResponse> {
        let user = user::signing_in(&self.contact)
            .one(app.store.read())
            .await?;
        let hash = user.as_ref().map(|user| user.password_hash.as_str());
        let right = app.passwords.verify(&self.password, hash).await?;

        let now_ms = app.clock.now_ms();
        let subject = user.as_ref().map(user::Model::name).unwrap_or_default();
        let proven = user.filter(|_| right);
        let tx = app.store.begin().await?;
        let outcome =
            match attempts::judge_in(&tx, app, now_ms, context.client, &self.contact, proven)
                .await?
            {
                Ok(user) => open_in(&tx, app, now_ms, user, self.label).await?,
                Err(refusal) => Err(refusal),
            };
        let entry = Entry::of_call(context, None, subject);
        let opened = conclude(tx, now_ms, entry, outcome).await?;
        Ok(opened.answer(app))
    }
}

/// A session with the token that is told once.
struct Opened {
    user: user::Model,
    session: session::Model,
    token: RefreshToken,
}

impl Opened {
    fn answer(&self, app: &App) -> LoginResponse {
        let session = &self.session;
        LoginResponse {
            access_token: app.auth.token(session),
            expire_time: Some(timestamp(session.expire_ms)),
            user: Some(self.user.to_proto()),
            refresh_token: self.token.write(&app.secrets),
            refresh_expire_time: Some(timestamp(session.end_ms())),
            session: names::name(names::SESSIONS, session.id),
        }
    }
}

/// Opens the session of a user who proved the password of this row.
async fn open_in(
    tx: &DatabaseTransaction,
    app: &App,
    now_ms: i64,
    proven: user::Model,
    label: String,
) -> Result<Result<Opened>> {
    // The password may have been changed while the old one was verified.
    let find = user::signing_in(&Contact::stored(&proven.contact)).for_share();
    let unchanged = |user: &user::Model| user.password_hash == proven.password_hash;
    let Some(user) = find.one(tx).await?.filter(unchanged) else {
        return Ok(Err(attempts::wrong()));
    };
    if user.may_not_log_in() {
        return Ok(Err(user.status_refusal()));
    }
    let ttl_s = app.config.token.ttl_s;
    let begun = session::Model {
        label: Some(label),
        ..session::Model::begun(now_ms, user.id(), &user.roles(), ttl_s)
    };
    let token = RefreshToken::first(begun.id);
    let session = begun.refreshed(now_ms, &app.config, token.hash(&app.secrets));
    let session = session::open_in(tx, now_ms, session).await?;
    Ok(Ok(Opened {
        user,
        session,
        token,
    }))
}

#[cfg(test)]
mod tests;
