//! Requests about people: registrations, logins, documents and verifications.

use gx_proto::gx::identity::v1::{
    ApproveVerificationRequest, ChangePasswordRequest, CompleteRegistrationRequest,
    DenyVerificationRequest, DocumentType, GetVerificationRequest, ListVerificationsRequest,
    LoginRequest, StartRegistrationRequest, SubmitVerificationRequest, UploadDocumentRequest,
    VerifyContactRequest,
};
use gx_server::id::random_uuid;
use tonic::Code;

use super::{Case, World};
use crate::harness::{PASSWORD, PNG, unused_contact};

const WRONG: (Code, &str) = (Code::InvalidArgument, "CODE_WRONG");

pub(super) async fn registering(world: &World) -> Vec<Case> {
    let gx = &world.gx;
    let contact = unused_contact();
    let begun = gx.registration(&contact).await;
    let code = gx.code(&contact);
    let proven = gx.proven_registration(&unused_contact()).await;
    let start = |contact: &str| {
        let mut identity = gx.client().identity();
        let contact = contact.to_owned();
        async move {
            let request = StartRegistrationRequest { contact };
            identity.start_registration(request).await
        }
    };
    let verify = |registration_token: &str, code: &str| {
        let mut identity = gx.client().identity();
        let request = VerifyContactRequest {
            registration_token: registration_token.to_owned(),
            code: code.to_owned(),
        };
        async move { identity.verify_contact(request).await }
    };
    let another = if code == "000000" { "000001" } else { "000000" };
    let mut cases = vec![
        Case::fields("no contact", &["contact"], start("")),
        Case::fields("a contact that is no address", &["contact"], start("root")),
        Case::fields(
            "a long contact",
            &["contact"],
            start(&format!("{}@b.c", "a".repeat(251))),
        ),
        Case::fields(
            "neither token nor code",
            &["registration_token", "code"],
            verify("", ""),
        ),
        Case::fields("a code of letters", &["code"], verify(&begun, "abcdef")),
        Case::new(
            "a code of no registration",
            WRONG,
            verify(&"A".repeat(43), &code),
        ),
        Case::new("a wrong code", WRONG, verify(&begun, another)).counted_in(&["registrations"]),
    ];
    cases.extend(completing(world, begun, proven));
    cases.extend(logins(world));
    cases
}

/// A declaration with a change.
type Change<'a> = &'a dyn Fn(&mut CompleteRegistrationRequest);

fn completing(world: &World, begun: String, proven: String) -> Vec<Case> {
    let complete = |change: Change<'_>| {
        let mut identity = world.gx.client().identity();
        let mut request = CompleteRegistrationRequest {
            registration_token: proven.clone(),
            given_names: "Ann".to_owned(),
            family_name: "Bee".to_owned(),
            birth_date: "1990-05-17".to_owned(),
            nationality: "DE".to_owned(),
            password: PASSWORD.to_owned(),
        };
        change(&mut request);
        async move { identity.complete_registration(request).await }
    };
    let all = &[
        "given_names",
        "family_name",
        "birth_date",
        "nationality",
        "password",
    ];
    let bounds = |what, fields, change: Change<'_>| Case::fields(what, fields, complete(change));
    let unproven = (Code::FailedPrecondition, "CONTACT_NOT_VERIFIED");
    vec![
        bounds("nothing declared", all, &|request| {
            *request = CompleteRegistrationRequest {
                registration_token: proven.clone(),
                ..CompleteRegistrationRequest::default()
            };
        }),
        bounds("born tomorrow", &["birth_date"], &|request| {
            request.birth_date = "2999-01-01".to_owned();
        }),
        bounds("a country that is none", &["nationality"], &|request| {
            request.nationality = "XX".to_owned();
        }),
        bounds("a short password", &["password"], &|request| {
            request.password = "elevenchars".to_owned();
        }),
        bounds("a name that misleads", &["given_names"], &|request| {
            request.given_names = "Ann\u{202e}".to_owned();
        }),
        Case::new(
            "a contact that is not proven",
            unproven,
            complete(&|request| {
                request.registration_token.clone_from(&begun);
            }),
        ),
        Case::new(
            "no such registration",
            WRONG,
            complete(&|request| {
                request.registration_token = "A".repeat(43);
            }),
        ),
    ]
}

fn logins(world: &World) -> Vec<Case> {
    let wrong = (Code::Unauthenticated, "CREDENTIALS_WRONG");
    let login = |contact: &str, password: &str| {
        let mut identity = world.gx.client().identity();
        let request = LoginRequest {
            contact: contact.to_owned(),
            password: password.to_owned(),
        };
        async move { identity.login(request).await }
    };
    let change = |current: &str, new: &str| {
        let mut identity = world.ann.client.identity();
        let request = ChangePasswordRequest {
            current_password: current.to_owned(),
            new_password: new.to_owned(),
        };
        async move { identity.change_password(request).await }
    };
    let known = world.ann.contact.as_str();
    vec![
        Case::fields(
            "neither contact nor password",
            &["contact", "password"],
            login("", ""),
        ),
        Case::new("a wrong password", wrong, login(known, "not the password")),
        Case::new(
            "nobody's login",
            wrong,
            login("nobody@example.org", PASSWORD),
        ),
        Case::new(
            "a wrong current password",
            wrong,
            change("not the password", "another passphrase"),
        ),
        Case::fields(
            "a new password too short",
            &["new_password"],
            change(PASSWORD, "short"),
        ),
        Case::fields(
            "the same password",
            &["new_password"],
            change(PASSWORD, PASSWORD),
        ),
    ]
}

pub(super) async fn verifying(world: &World) -> Vec<Case> {
    let mut cases = documents(world);
    cases.extend(submissions(world).await);
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
