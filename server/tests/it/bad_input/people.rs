//! Requests about people: registrations and logins.

use gx_proto::gx::identity::v1::{
    ChangePasswordRequest, CompleteRegistrationRequest, LoginRequest, StartRegistrationRequest,
    VerifyContactRequest,
};
use tonic::Code;

use super::{Case, World};
use crate::harness::{PASSWORD, unused_contact};

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
            label: String::new(),
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
