//! Stores a file that proves who somebody is, encrypted.

use std::{sync::Arc, time::Duration};

use gx_proto::gx::{
    common::v1::Reason,
    identity::v1::{UploadDocumentRequest, UploadDocumentResponse, UserStatus},
};
use sea_orm::{
    DatabaseTransaction, IntoActiveModel, PaginatorTrait, QueryFilter, entity::prelude::*,
};
use sha2::{Digest, Sha256};

use super::entity::{document, user};
use crate::{
    app::App,
    audit,
    auth::{Caller, Context, UserId},
    error::{Error, Result, Violations},
    id,
    secrets::{Sealed, Secrets},
};

const BYTES_MAX: usize = 8_000_000;
/// Uploads of one user in [`WINDOW_MS`].
const UPLOADS_MAX: u64 = 12;
const WINDOW_MS: i64 = 24 * 60 * 60 * 1_000;

/// What each media type begins with.
const TYPES: [(&str, &[u8]); 3] = [
    ("image/jpeg", b"\xff\xd8\xff"),
    ("image/png", b"\x89PNG\r\n\x1a\n"),
    ("application/pdf", b"%PDF-"),
];

/// A file to store.
#[derive(Debug)]
pub(super) struct UploadDocument {
    content: Vec<u8>,
    content_type: &'static str,
}

impl TryFrom<UploadDocumentRequest> for UploadDocument {
    type Error = Error;

    fn try_from(message: UploadDocumentRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let known = TYPES.iter().find(|(name, _)| *name == message.content_type);
        let wanted = "must be image/jpeg, image/png or application/pdf";
        let known = violations.take("content_type", known.ok_or(wanted));
        let size = message.content.len();
        if !(1..=BYTES_MAX).contains(&size) {
            violations.add("content", format!("must have 1 to {BYTES_MAX} bytes"));
        } else if known.is_some_and(|(_, magic)| !message.content.starts_with(magic)) {
            violations.add("content", "is not what content_type says");
        }
        violations.finish(known.map(|(content_type, _)| Self {
            content: message.content,
            content_type,
        }))
    }
}

impl UploadDocument {
    pub(super) async fn handle(
        self,
        app: &App,
        caller: &Caller,
        context: &Context,
    ) -> Result<UploadDocumentResponse> {
        let now_ms = app.clock.now_ms();
        // Whoever is sure to be refused costs no encryption, and no writer.
        let user = user::Entity::own(app.store.read(), caller).await?;
        admit(app.store.read(), caller, &user, now_ms).await?;
        let document = self.seal(app, caller.user, now_ms).await?;
        let shown = document::Summary::from(&document).to_proto();

        let tx = app.store.begin().await?;
        admit_in(&tx, caller, now_ms).await?;
        document::Entity::insert(document.into_active_model())
            .exec_without_returning(&tx)
            .await?;
        let entry = audit::Entry::of_call(context, Some(caller.user), shown.name.clone());
        audit::record_in(&tx, now_ms, vec![entry]).await?;
        tx.commit().await?;
        Ok(UploadDocumentResponse {
            document: Some(shown),
        })
    }

    /// The row. Megabytes are hashed and encrypted away from the threads that
    /// serve other calls.
    async fn seal(self, app: &App, user: UserId, now_ms: i64) -> Result<document::Model> {
        let (id, secrets) = (id::ordered_uuid(now_ms), Arc::clone(&app.secrets));
        let sealed = tokio::task::spawn_blocking(move || {
            let Sealed { key_id, bytes } = encrypt(&secrets, id, user, &self.content);
            document::Model {
                id,
                user_id: user.0,
                content_type: self.content_type.to_owned(),
                size: i64::try_from(self.content.len()).unwrap_or(0),
                sha256: Sha256::digest(&self.content).to_vec(),
                key_id,
                content: bytes,
                created_ms: now_ms,
            }
        });
        Ok(sealed.await.map_err(anyhow::Error::from)?)
    }
}

fn encrypt(secrets: &Secrets, id: Uuid, user: UserId, content: &[u8]) -> Sealed {
    let belongs_to = document::belongs_to(id, user);
    secrets.document.seal(&belongs_to, content)
}

/// Only who is not verified yet needs to upload, and not without end. Decides under
/// the lock of the user's row.
async fn admit_in(tx: &DatabaseTransaction, caller: &Caller, now_ms: i64) -> Result<()> {
    let user = user::Entity::lock_own_in(tx, caller).await?;
    admit(tx, caller, &user, now_ms).await
}

async fn admit(
    db: &impl ConnectionTrait,
    caller: &Caller,
    user: &user::Model,
    now_ms: i64,
) -> Result<()> {
    use UserStatus::{Denied, PendingApproval, Registered};
    if !matches!(user.status(), Registered | PendingApproval | Denied) {
        return Err(user.status_refusal());
    }
    let recent = document::Column::CreatedMs.gt(now_ms - WINDOW_MS);
    if document::Entity::own(caller)
        .filter(recent)
        .count(db)
        .await?
        >= UPLOADS_MAX
    {
        let message = format!("at most {UPLOADS_MAX} uploads a day");
        return Err(Error::rejected(Reason::RateLimited, message)
            .with("limit", format!("{UPLOADS_MAX}/d"))
            .retry_after(Duration::from_secs(60 * 60)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::harness::{CONTACT, Harness, PNG, reason, violations};

    #[tokio::test]
    async fn a_file_is_encrypted_at_rest_for_its_row_alone() {
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        let caller = harness.sign_in(CONTACT).await;
        let answer = harness.upload(&caller, PNG, "image/png").await.unwrap();
        let told = answer.document.unwrap();
        assert_eq!(told.size_bytes, PNG.len() as u64);
        assert_eq!(told.sha256, hex::encode(Sha256::digest(PNG)));

        let row = document::Entity::own(&caller).one(harness.app.store.read());
        let row = row.await.unwrap().unwrap();
        assert!(!row.content.windows(8).any(|part| part == &PNG[..8]));
        let sealed = Sealed {
            key_id: row.key_id,
            bytes: row.content,
        };
        let keys = &harness.app.secrets.document;
        let here = document::belongs_to(row.id, caller.user);
        let opened = keys.open(&sealed, &here);
        assert_eq!(opened.unwrap(), PNG);
        let elsewhere = document::belongs_to(Uuid::nil(), caller.user);
        assert!(keys.open(&sealed, &elsewhere).is_err());
    }

    #[tokio::test]
    async fn the_bytes_must_be_what_the_type_says() {
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        let caller = harness.sign_in(CONTACT).await;
        let (_, jpeg) = TYPES[0];
        for (content, content_type, fields) in [
            (PNG, "image/png", vec![]),
            (jpeg, "image/jpeg", vec![]),
            (b"%PDF-1.7", "application/pdf", vec![]),
            (PNG, "image/jpeg", vec!["content"]),
            (b"", "image/png", vec!["content"]),
            (PNG, "text/html", vec!["content_type"]),
            (b"", "", vec!["content_type", "content"]),
        ] {
            let told = match harness.upload(&caller, content, content_type).await {
                Ok(_) => vec![],
                Err(error) => violations(error),
            };
            assert_eq!(told, fields, "{content_type}");
        }
        let large = [PNG, &vec![0; BYTES_MAX]].concat();
        let error = harness.upload(&caller, &large, "image/png").await;
        assert_eq!(violations(error.unwrap_err()), ["content"]);
    }

    #[tokio::test]
    async fn uploads_of_a_day_are_bounded() {
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        let caller = harness.sign_in(CONTACT).await;
        for _ in 0..UPLOADS_MAX {
            harness.upload(&caller, PNG, "image/png").await.unwrap();
        }
        let answer = harness.upload(&caller, PNG, "image/png").await;
        assert_eq!(reason(answer), Some(Reason::RateLimited));
        harness.clock.advance_ms(WINDOW_MS);
        assert!(harness.upload(&caller, PNG, "image/png").await.is_ok());
    }

    #[tokio::test]
    async fn who_is_sure_to_be_refused_waits_for_no_writer() {
        let harness = Harness::in_file().await;
        harness.register(CONTACT).await;
        let caller = harness.sign_in(CONTACT).await;
        harness.set_status(CONTACT, UserStatus::Active).await;
        let _writer = harness.app.store.begin().await.unwrap();
        let upload = harness.upload(&caller, PNG, "image/png");
        let answer = tokio::time::timeout(Duration::from_secs(5), upload).await;
        assert_eq!(reason(answer.unwrap()), Some(Reason::UserStatus));
    }

    #[tokio::test]
    async fn who_is_verified_uploads_no_more() {
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        let caller = harness.sign_in(CONTACT).await;
        for status in [UserStatus::Approved, UserStatus::Active, UserStatus::Frozen] {
            harness.set_status(CONTACT, status).await;
            let answer = harness.upload(&caller, PNG, "image/png").await;
            assert_eq!(reason(answer), Some(Reason::UserStatus));
        }
    }
}
