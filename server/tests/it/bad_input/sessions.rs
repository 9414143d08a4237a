//! Requests about sessions.

use gx_proto::gx::identity::v1::{
    ListSessionsRequest, LoginRequest, RefreshSessionRequest, RevokeSessionRequest,
};
use gx_server::id::random_uuid;
use tonic::Code;

use super::{Case, World};
use crate::harness::{PASSWORD, unused_contact};

pub(super) async fn cases(world: &World) -> Vec<Case> {
    let mut cases = refreshing(world).await;
    cases.extend(names(world).await);
    let mut identity = world.gx.client().identity();
    let request = LoginRequest {
        contact: world.ann.contact.clone(),
        password: PASSWORD.to_owned(),
        label: "two\nlines".to_owned(),
    };
    cases.push(Case::fields(
        "a label of two lines",
        &["label"],
        async move { identity.login(request).await },
    ));
    cases
}

async fn refreshing(world: &World) -> Vec<Case> {
    let gx = &world.gx;
    let contact = unused_contact();
    gx.register(&contact, "DE").await;
    let (used, access) = (gx.login(&contact).await, gx.login(&contact).await);
    let refresh = |token: &str, request_id: &str| {
        let mut identity = gx.client().identity();
        let request = RefreshSessionRequest {
            refresh_token: token.to_owned(),
            request_id: request_id.to_owned(),
        };
        async move { identity.refresh_session(request).await }
    };
    let (request, other) = (random_uuid().to_string(), random_uuid().to_string());
    let first = refresh(&used.refresh_token, &request).await;
    first.expect("the first exchange");
    let invalid = (Code::Unauthenticated, "TOKEN_INVALID");
    let reused = (Code::Unauthenticated, "REFRESH_TOKEN_REUSED");
    let revoked = (Code::Unauthenticated, "SESSION_REVOKED");
    let (long, mut altered) = ("A".repeat(101), access.refresh_token.clone());
    let last = if altered.ends_with('A') { "Q" } else { "A" };
    altered.replace_range(altered.len() - 1.., last);
    vec![
        Case::fields(
            "neither refresh token nor request_id",
            &["refresh_token", "request_id"],
            refresh("", ""),
        ),
        Case::fields(
            "too long a refresh token",
            &["refresh_token"],
            refresh(&long, &request),
        ),
        Case::new(
            "an access token to refresh by",
            invalid,
            refresh(&access.access_token[..100], &request),
        ),
        Case::new(
            "an altered refresh token",
            invalid,
            refresh(&altered, &request),
        ),
        Case::new(
            "a refresh token that was exchanged",
            reused,
            refresh(&used.refresh_token, &other),
        )
        .counted_in(&["sessions"]),
        Case::new(
            "the same again, of a session that was ended",
            revoked,
            refresh(&used.refresh_token, &request),
        ),
    ]
}

async fn names(world: &World) -> Vec<Case> {
    let client = &world.ann.client;
    let unknown = (Code::NotFound, "NOT_FOUND");
    let foreign = world.gx.login(&world.bee.contact).await.session;
    let revoke = |name: &str| {
        let mut identity = client.identity();
        let name = name.to_owned();
        async move { identity.revoke_session(RevokeSessionRequest { name }).await }
    };
    let missing = format!("sessions/{}", random_uuid());
    let upper = missing.to_uppercase();
    let mut identity = client.identity();
    let request = ListSessionsRequest {
        page_size: 201,
        page_token: "e30".to_owned(),
    };
    vec![
        Case::fields("a session by no name", &["name"], revoke("")),
        Case::fields("a session in capitals", &["name"], revoke(&upper)),
        Case::new("no session", unknown, revoke(&missing)),
        Case::new("another's session to end", unknown, revoke(&foreign)),
        Case::fields(
            "a bad page of sessions",
            &["page_size", "page_token"],
            async move { identity.list_sessions(request).await },
        ),
    ]
}
