//! Streams a stored file to its user or to an overseer. The line of the audit log is
//! committed before a byte leaves.
//!
//! The file stands decrypted in memory until its client has taken it, so there are
//! few places, and a client that takes too long loses its own.

use std::{sync::Arc, time::Duration};

use gx_proto::gx::{
    common::v1::Reason,
    identity::v1::{Document, DownloadDocumentRequest, DownloadDocumentResponse},
};
use sea_orm::entity::prelude::*;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use zeroize::Zeroizing;

use super::{entity::document, names};
use crate::{
    app::App,
    audit,
    auth::{Caller, Context},
    error::{Error, Result, Violations},
    watch::{Sent, sent},
};

/// Bytes of one message.
const PART: usize = 65_536;
/// How long a client may take.
const BOUND: Duration = Duration::from_secs(60);

/// A file to read.
#[derive(Debug)]
pub(super) struct DownloadDocument {
    document: Uuid,
}

impl TryFrom<DownloadDocumentRequest> for DownloadDocument {
    type Error = Error;

    fn try_from(message: DownloadDocumentRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let name = names::parse(names::DOCUMENTS, &message.name);
        let document = violations.take("name", name);
        violations.finish(document.map(|document| Self { document }))
    }
}

impl DownloadDocument {
    /// What it is about, for the audit log.
    pub(super) fn subject(&self) -> String {
        names::name(names::DOCUMENTS, self.document)
    }

    pub(super) async fn handle(
        self,
        app: &App,
        caller: &Caller,
        context: &Context,
    ) -> Result<Sent<DownloadDocumentResponse>> {
        let place = place(app, caller)?;
        let row = document::Entity::readable(app.store.read(), caller, self.document).await?;
        let shown = document::Summary::from(&row).to_proto();
        let content = open(app, row).await?;

        let entry = audit::Entry::of_call(context, Some(caller.user), self.subject());
        let tx = app.store.begin().await?;
        audit::record_in(&tx, app.clock.now_ms(), vec![entry]).await?;
        tx.commit().await?;
        Ok(send(place, shown, content, BOUND))
    }
}

/// A place for the megabytes. People share theirs with those who upload.
fn place(app: &App, caller: &Caller) -> Result<OwnedSemaphorePermit> {
    let room = if caller.reads_everything() {
        &app.rooms.downloads
    } else {
        &app.rooms.uploads
    };
    let place = Arc::clone(room).try_acquire_owned();
    place.map_err(|_| Error::overloaded())
}

/// Decrypts away from the threads that serve other calls.
async fn open(app: &App, row: document::Model) -> Result<Zeroizing<Vec<u8>>> {
    let secrets = Arc::clone(&app.secrets);
    let opened = tokio::task::spawn_blocking(move || row.open(&secrets.document));
    Ok(opened.await.map_err(anyhow::Error::from)??.into())
}

/// Sends the document, then its bytes. They are kept by a task of their own, which
/// ends in time whether the client takes them or not.
fn send(
    place: OwnedSemaphorePermit,
    shown: Document,
    content: Zeroizing<Vec<u8>>,
    bound: Duration,
) -> Sent<DownloadDocumentResponse> {
    let left = content.len();
    let (parts, taken) = mpsc::channel(1);
    tokio::spawn(async move {
        let _ = tokio::time::timeout(bound, feed(&parts, shown, &content)).await;
        drop(place);
    });
    sent((taken, left), |(mut taken, left)| async move {
        let Some(part) = taken.recv().await else {
            return match left {
                0 => Ok(None),
                _ => Err(Error::rejected(
                    Reason::Deadline,
                    "the file was taken too slowly",
                )),
            };
        };
        let part: DownloadDocumentResponse = part;
        let left = left.saturating_sub(part.content.len());
        Ok(Some((part, (taken, left))))
    })
}

/// Ends early when nobody takes the parts any more.
async fn feed(parts: &mpsc::Sender<DownloadDocumentResponse>, shown: Document, content: &[u8]) {
    let first = DownloadDocumentResponse {
        document: Some(shown),
        content: Vec::new(),
    };
    let rest = content.chunks(PART).map(|part| DownloadDocumentResponse {
        document: None,
        content: part.to_vec(),
    });
    for part in std::iter::once(first).chain(rest) {
        if parts.send(part).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;
    use gx_proto::gx::identity::v1::Role;
    use sea_orm::QueryOrder;
    use tokio::sync::Semaphore;
    use tonic::{Code, Status};

    use super::*;
    use crate::{
        app::Rooms,
        audit::entity::line,
        identity::harness::{CONTACT, Harness, PNG, reason, violations},
    };

    async fn download(
        harness: &Harness,
        caller: &Caller,
        name: &str,
    ) -> Result<Sent<DownloadDocumentResponse>> {
        DownloadDocument::try_from(DownloadDocumentRequest {
            name: name.to_owned(),
        })?
        .handle(&harness.app, caller, &harness.context)
        .await
    }

    /// The file of a whole download.
    async fn file(sent: Sent<DownloadDocumentResponse>) -> Result<(Document, Vec<u8>), Status> {
        let mut parts: Vec<_> = sent.try_collect().await?;
        let shown = parts[0].document.take().unwrap();
        assert!(parts.iter().all(|part| part.document.is_none()));
        assert!(parts.iter().all(|part| part.content.len() <= PART));
        let content = parts.into_iter().flat_map(|part| part.content);
        Ok((shown, content.collect()))
    }

    #[tokio::test]
    async fn its_user_and_overseers_get_the_file_as_it_was_uploaded() {
        let harness = Harness::new().await;
        let person = harness.applicant(CONTACT).await;
        let stranger = harness.applicant("other@example.org").await;
        let large = [PNG, &[7; 200_000]].concat();
        let stored = harness.upload(&person, &large, "image/png").await;
        let stored = stored.unwrap().document.unwrap();

        let auditor = Caller {
            roles: vec![Role::Auditor],
            ..stranger.clone()
        };
        for caller in [&person, &harness.staff().await, &auditor] {
            let sent = download(&harness, caller, &stored.name).await.unwrap();
            let (shown, content) = file(sent).await.unwrap();
            assert_eq!((&shown, content == large), (&stored, true));
        }
        let refused = download(&harness, &stranger, &stored.name).await;
        assert_eq!(reason(refused), Some(Reason::NotFound));
    }

    #[tokio::test]
    async fn who_reads_a_file_stands_in_the_audit_log_before_a_byte_leaves() {
        let harness = Harness::new().await;
        let person = harness.applicant(CONTACT).await;
        let name = harness.documents(&person).await.remove(0);
        let staff = harness.staff().await;
        let _unread = download(&harness, &staff, &name).await.unwrap();
        let newest = line::Entity::find().order_by_desc(line::Column::Id);
        let line = newest.one(harness.app.store.read()).await.unwrap().unwrap();
        assert_eq!((line.actor, line.subject), (Some(staff.user.0), name));
    }

    #[tokio::test]
    async fn people_take_no_place_from_overseers() {
        let harness = Harness::new().await;
        let person = harness.applicant(CONTACT).await;
        let name = harness.documents(&person).await.remove(0);
        let staff = harness.staff().await;
        let mut unread = Vec::new();
        for _ in 0..Rooms::UPLOADS {
            unread.push(download(&harness, &person, &name).await.unwrap());
        }
        let refused = download(&harness, &person, &name).await;
        assert_eq!(reason(refused), Some(Reason::Overloaded));
        assert!(download(&harness, &staff, &name).await.is_ok());
    }

    #[tokio::test]
    async fn who_takes_a_file_too_slowly_loses_the_place_and_is_told() {
        let room = Arc::new(Semaphore::new(1));
        let place = Arc::clone(&room).try_acquire_owned().unwrap();
        let content = vec![0; 3 * PART].into();
        let sent = send(place, Document::default(), content, Duration::ZERO);
        let _free = room.acquire().await.unwrap();
        let told = file(sent).await.unwrap_err();
        assert_eq!(told.code(), Code::DeadlineExceeded);
    }

    #[tokio::test]
    async fn all_violations_are_told_at_once() {
        let message = DownloadDocumentRequest::default();
        let error = DownloadDocument::try_from(message).unwrap_err();
        assert_eq!(violations(error), ["name"]);
    }
}
