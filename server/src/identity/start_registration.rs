//! Begins a registration. Whether the contact is known, unknown or asked for too
//! often: the same rows are written and the same answer is given, so nothing tells
//! which it is but the message that its reader gets.

use std::ops::Not;

use gx_proto::gx::identity::v1::{StartRegistrationRequest, StartRegistrationResponse};
use sea_orm::{DatabaseTransaction, Set, entity::prelude::*};
use secrecy::{ExposeSecret, SecretString};

use super::{
    codes::{self, TokenHash},
    contact::Contact,
    entity::{registration, user},
};
use crate::{
    app::App,
    audit,
    auth::Context,
    clock::timestamp,
    error::{Error, Result, Violations},
    id,
    notifier::Message,
    store::take_turn_in,
};

/// How long a code may be used.
const CODE_MS: i64 = 10 * 60 * 1_000;
/// How long a registration may take in all.
const REGISTRATION_MS: i64 = 60 * 60 * 1_000;
/// Messages to one contact in [`REGISTRATION_MS`]; further ones are not sent, so
/// that nobody is flooded and codes cannot be guessed by asking for many.
const MESSAGES_MAX: u64 = 5;

/// A registration to begin.
#[derive(Debug)]
pub(super) struct StartRegistration {
    contact: Contact,
}

impl TryFrom<StartRegistrationRequest> for StartRegistration {
    type Error = Error;

    fn try_from(message: StartRegistrationRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let contact = violations.take("contact", Contact::email(&message.contact));
        violations.finish(contact.map(|contact| Self { contact }))
    }
}

impl StartRegistration {
    pub(super) async fn handle(
        self,
        app: &App,
        context: &Context,
    ) -> Result<StartRegistrationResponse> {
        let now_ms = app.clock.now_ms();
        let (token, code) = (codes::new_token(), codes::new_code());

        let tx = app.store.begin().await?;
        // Of two at once one counts the other's message.
        take_turn_in(&tx, &self.contact.hash(&app.secrets)).await?;
        registration::forget_in(&tx, now_ms).await?;
        let message = self.message_in(&tx, now_ms, &code).await?;
        self.registration(app, now_ms, &token, message.as_ref())
            .insert(&tx)
            .await?;
        let entry = audit::Entry::of_call(context, None, "");
        audit::record_in(&tx, now_ms, vec![entry]).await?;
        tx.commit().await?;

        if let Some(message) = message {
            let contact = self.contact.as_str();
            app.notifier.send(now_ms, contact, message).await?;
        }
        Ok(StartRegistrationResponse {
            registration_token: token.expose_secret().to_owned(),
            code_expire_time: Some(timestamp(now_ms + CODE_MS)),
        })
    }

    /// What the contact is told.
    async fn message_in(
        &self,
        tx: &DatabaseTransaction,
        now_ms: i64,
        code: &SecretString,
    ) -> Result<Option<Message>> {
        let since_ms = now_ms - REGISTRATION_MS;
        let begun = registration::begun_since(tx, &self.contact, since_ms).await?;
        let known = user::signing_in(&self.contact).one(tx).await?.is_some();
        let message = if known {
            Message::KnownContact
        } else {
            Message::Code(code.clone())
        };
        Ok((begun >= MESSAGES_MAX).not().then_some(message))
    }

    fn registration(
        &self,
        app: &App,
        now_ms: i64,
        token: &SecretString,
        message: Option<&Message>,
    ) -> registration::ActiveModel {
        let token = codes::hash_token(&app.secrets, token);
        registration::ActiveModel {
            contact: Set(self.contact.as_str().to_owned()),
            code_hash: Set(code_hash(app, &token, message).to_vec()),
            tries: Set(0),
            code_expire_ms: Set(now_ms + CODE_MS),
            verified: Set(false),
            expire_ms: Set(now_ms + REGISTRATION_MS),
            user_id: Set(None),
            created_ms: Set(now_ms),
            token_hash: Set(token.0.to_vec()),
        }
    }
}

/// The hash of the code that was sent; of none that exists, if none was.
fn code_hash(app: &App, token: &TokenHash, message: Option<&Message>) -> [u8; 32] {
    match message {
        Some(Message::Code(code)) => codes::hash_code(&app.secrets, token, code),
        Some(Message::KnownContact) | None => id::random_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::harness::{CONTACT, Harness, reason, violations};

    async fn start(harness: &Harness, contact: &str) -> Result<StartRegistrationResponse> {
        StartRegistration::try_from(StartRegistrationRequest {
            contact: contact.to_owned(),
        })?
        .handle(&harness.app, &harness.context)
        .await
    }

    #[tokio::test]
    async fn known_and_unknown_contacts_are_answered_alike() {
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        let known = start(&harness, CONTACT).await.unwrap();
        let unknown = start(&harness, "other@example.org").await.unwrap();
        assert_eq!(known.code_expire_time, unknown.code_expire_time);
        assert_eq!(
            known.registration_token.len(),
            unknown.registration_token.len()
        );

        let messages = harness.messages();
        let kinds: Vec<_> = messages.iter().map(|message| &message["kind"]).collect();
        assert_eq!(kinds, ["code", "notice", "code"]);
        assert_eq!(messages[1].get("code"), None);
    }

    #[tokio::test]
    async fn a_sixth_message_within_the_hour_is_not_sent() {
        let harness = Harness::new().await;
        for _ in 0..6 {
            start(&harness, CONTACT).await.unwrap();
        }
        assert_eq!(harness.messages().len(), 5);
        harness.clock.advance_ms(REGISTRATION_MS);
        start(&harness, CONTACT).await.unwrap();
        assert_eq!(harness.messages().len(), 6);
    }

    #[tokio::test]
    async fn neither_token_nor_code_stands_in_the_database() {
        let harness = Harness::new().await;
        let token = start(&harness, CONTACT).await.unwrap().registration_token;
        let code = harness.last_code();
        let row = registration::Entity::find().one(harness.app.store.read());
        let row = format!("{:?}", row.await.unwrap().unwrap());
        assert!(!row.contains(&token) && !row.contains(&code), "{row}");
    }

    #[tokio::test]
    async fn ended_registrations_are_forgotten_after_a_day() {
        let harness = Harness::new().await;
        start(&harness, CONTACT).await.unwrap();
        harness
            .clock
            .advance_ms(REGISTRATION_MS + 24 * 60 * 60 * 1_000 + 1);
        start(&harness, CONTACT).await.unwrap();
        let rows = registration::Entity::find().all(harness.app.store.read());
        assert_eq!(rows.await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn the_contact_must_be_an_email_address() {
        let harness = Harness::new().await;
        let error = start(&harness, "root").await.unwrap_err();
        assert_eq!(violations(error), ["contact"]);
        assert_eq!(reason(start(&harness, CONTACT).await), None);
    }
}
