//! Requests about documents and verifications.

use gx_proto::gx::identity::v1::{
    ApproveVerificationRequest, DenyVerificationRequest, DocumentType, DownloadDocumentRequest,
    GetVerificationRequest, ListVerificationsRequest, SubmitVerificationRequest,
    UploadDocumentRequest,
};
use gx_server::id::random_uuid;
use tonic::Code;

use super::{Case, World};
use crate::harness::PNG;

pub(super) async fn cases(world: &World) -> Vec<Case> {
    let mut cases = documents(world);
    cases.extend(submissions(world).await);
    cases.extend(downloads(world).await);
    cases.extend(decisions(world).await);
    cases
}

fn documents(world: &World) -> Vec<Case> {
    let upload = |content: &[u8], content_type: &str| {
        let mut identity = world.newcomer.identity();
        let request = UploadDocumentRequest {
            content: content.to_vec(),
            content_type: content_type.to_owned(),
        };
        async move { identity.upload_document(request).await }
    };
    let large = [PNG, &[0; 8_000_000]].concat();
    let mut verified = world.ann.client.identity();
    let request = UploadDocumentRequest {
        content: PNG.to_vec(),
        content_type: "image/png".to_owned(),
    };
    let status = (Code::FailedPrecondition, "USER_STATUS");
    vec![
        Case::fields("an empty file", &["content"], upload(b"", "image/png")),
        Case::fields(
            "a file too large",
            &["content"],
            upload(&large, "image/png"),
        ),
        Case::fields(
            "another type than it says",
            &["content"],
            upload(PNG, "image/jpeg"),
        ),
        Case::fields(
            "a type that is not taken",
            &["content_type"],
            upload(PNG, "text/html"),
        ),
        Case::fields("neither", &["content_type", "content"], upload(b"", "")),
        Case::new("who is verified already", status, async move {
            verified.upload_document(request).await
        })
        .with(&[("status", "ACTIVE")]),
    ]
}

/// A submission with a change.
type Submission<'a> = &'a dyn Fn(&mut SubmitVerificationRequest);

async fn submissions(world: &World) -> Vec<Case> {
    let uploaded = world.newcomer.upload().await;
    let submit = |change: Submission<'_>| {
        let mut identity = world.newcomer.identity();
        let mut request = SubmitVerificationRequest {
            document_type: DocumentType::Passport.into(),
            document_country: "DE".to_owned(),
            document_number: "C01X00T47".to_owned(),
            documents: vec![uploaded.clone()],
        };
        change(&mut request);
        async move { identity.submit_verification(request).await }
    };
    let all = &[
        "document_type",
        "document_country",
        "document_number",
        "documents",
    ];
    let bounds = |what, fields, change: Submission<'_>| Case::fields(what, fields, submit(change));
    let missing = (Code::NotFound, "NOT_FOUND");
    let nothing = format!("documents/{}", random_uuid());
    let foreign = world.waiting.document.clone();
    vec![
        bounds("nothing submitted", all, &|request| {
            *request = SubmitVerificationRequest::default();
        }),
        bounds(
            "an unknown kind of document",
            &["document_type"],
            &|request| {
                request.document_type = 99;
            },
        ),
        bounds("one upload twice", &["documents"], &|request| {
            request.documents = vec![uploaded.clone(), uploaded.clone()];
        }),
        bounds("seven uploads", &["documents"], &|request| {
            request.documents = (0..7)
                .map(|_| format!("documents/{}", random_uuid()))
                .collect();
        }),
        bounds("a number of signs", &["document_number"], &|request| {
            request.document_number = "--- ---".to_owned();
        }),
        Case::new(
            "an upload that is not there",
            missing,
            submit(&|request| {
                request.documents = vec![nothing.clone()];
            }),
        ),
        Case::new(
            "another's upload",
            missing,
            submit(&|request| {
                request.documents = vec![foreign.clone()];
            }),
        ),
    ]
}

async fn downloads(world: &World) -> Vec<Case> {
    let admin = world.gx.admin().await;
    let download = |name: String| {
        let mut identity = admin.identity();
        async move {
            let request = DownloadDocumentRequest { name };
            identity.download_document(request).await
        }
    };
    let another = world.waiting.verification.clone();
    let nothing = format!("documents/{}", random_uuid());
    let missing = (Code::NotFound, "NOT_FOUND");
    vec![
        Case::fields("a document by another name", &["name"], download(another)),
        Case::new("a download of no document", missing, download(nothing)),
    ]
}

async fn decisions(world: &World) -> Vec<Case> {
    let admin = world.gx.admin().await.clone();
    let deny = |name: &str, reason: &str| {
        let mut identity = admin.identity();
        let request = DenyVerificationRequest {
            name: name.to_owned(),
            reason: reason.to_owned(),
        };
        async move { identity.deny_verification(request).await }
    };
    let (waiting, approved) = (&world.waiting.verification, &world.ann.verification);
    let nothing = format!("verifications/{}", random_uuid());
    let missing = (Code::NotFound, "NOT_FOUND");
    let decided = (Code::FailedPrecondition, "VERIFICATION_STATE");
    let (mut get, mut list, mut approve) = (admin.identity(), admin.identity(), admin.identity());
    let name = nothing.clone();
    vec![
        Case::fields("a denial without a reason", &["reason"], deny(waiting, " ")),
        Case::fields(
            "a long reason",
            &["reason"],
            deny(waiting, &"r".repeat(501)),
        ),
        Case::fields("a denial of nothing", &["name", "reason"], deny("", "")),
        Case::new("a denial of no verification", missing, deny(&nothing, "no")),
        Case::new(
            "a denial of what is approved",
            decided,
            deny(approved, "no"),
        )
        .with(&[("state", "APPROVED")]),
        Case::fields("an unknown state", &["state"], async move {
            let request = ListVerificationsRequest {
                state: 99,
                ..ListVerificationsRequest::default()
            };
            list.list_verifications(request).await
        }),
        Case::fields("a verification by a user's name", &["name"], async move {
            let name = format!("users/{}", random_uuid());
            get.get_verification(GetVerificationRequest { name }).await
        }),
        Case::fields(
            "an approval of nothing",
            &["name", "request_id"],
            async move {
                let request = ApproveVerificationRequest::default();
                approve.approve_verification(request).await
            },
        ),
        Case::new("an approval of no verification", missing, {
            let mut identity = admin.identity();
            let request_id = random_uuid().to_string();
            async move {
                let request = ApproveVerificationRequest { name, request_id };
                identity.approve_verification(request).await
            }
        }),
    ]
}
