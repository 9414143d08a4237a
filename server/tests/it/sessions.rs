//! Sessions over the interface: many exchange one refresh token at once, on both
//! databases and over several processes, and open streams follow their session.

use std::collections::BTreeMap;

use futures::future::join_all;
use gx_proto::gx::{
    identity::v1::{
        GetMeRequest, ListSessionsRequest, LogoutRequest, RefreshSessionRequest,
        RefreshSessionResponse, RevokeSessionRequest,
    },
    ledger::v1::StreamBlocksRequest,
};
use gx_server::id::random_uuid;
use tonic::{Code, Status};

use crate::harness::{Client, Database, Gx, Refusal, unused_contact};

async fn refresh(
    client: &Client,
    refresh_token: &str,
    request_id: &str,
) -> Result<RefreshSessionResponse, Status> {
    let request = RefreshSessionRequest {
        refresh_token: refresh_token.to_owned(),
        request_id: request_id.to_owned(),
    };
    let answer = client.identity().refresh_session(request).await?;
    Ok(answer.into_inner())
}

/// Whether a call by this token is answered, or the reason.
async fn works(gx: &Gx, access_token: &str) -> Result<(), String> {
    let client = gx.client().with_token(access_token);
    let answer = client.identity().get_me(GetMeRequest::default()).await;
    answer
        .map(drop)
        .map_err(|status| Refusal::of(&status).reason)
}

async fn of_fifty_exchanges_at_once_one_takes_effect(database: Database) {
    let gx = Gx::start(database).await;
    let contact = unused_contact();
    gx.register(&contact, "DE").await;

    let own = gx.login(&contact).await;
    let exchanges = (0..50).map(|_| async {
        let request_id = random_uuid().to_string();
        refresh(&gx.client(), &own.refresh_token, &request_id).await
    });
    let mut told = BTreeMap::new();
    for answer in join_all(exchanges).await {
        let word = match answer {
            Ok(_) => "OK".to_owned(),
            Err(status) => Refusal::of(&status).reason,
        };
        *told.entry(word).or_insert(0) += 1;
    }
    let count = |word: &str| told.get(word).copied().unwrap_or_default();
    assert_eq!(
        (count("OK"), count("REFRESH_TOKEN_REUSED")),
        (1, 1),
        "{told:?}"
    );
    assert_eq!(count("SESSION_REVOKED"), 48, "{told:?}");
    let ended = works(&gx, &own.access_token).await;
    assert_eq!(ended, Err("SESSION_REVOKED".to_owned()));

    let other = gx.login(&contact).await;
    let request_id = random_uuid().to_string();
    let exchanges =
        (0..50).map(|_| async { refresh(&gx.client(), &other.refresh_token, &request_id).await });
    let mut tokens = Vec::new();
    for answer in join_all(exchanges).await {
        tokens.push(answer.expect("the same exchange").refresh_token);
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "one token follows");
    let request_id = random_uuid().to_string();
    let next = refresh(&gx.client(), &tokens[0], &request_id).await;
    works(&gx, &next.expect("exchanged").access_token)
        .await
        .expect("a session");
}

#[tokio::test]
async fn of_fifty_exchanges_at_once_one_takes_effect_on_sqlite() {
    of_fifty_exchanges_at_once_one_takes_effect(Database::Sqlite).await;
}

#[tokio::test]
async fn of_fifty_exchanges_at_once_one_takes_effect_on_six_processes() {
    of_fifty_exchanges_at_once_one_takes_effect(Database::PostgresApart).await;
}

#[tokio::test]
async fn a_session_that_is_ended_takes_its_streams_and_nothing_else() {
    let gx = Gx::start(Database::Sqlite).await;
    let contact = unused_contact();
    gx.register(&contact, "DE").await;
    let (phone, laptop) = (gx.sign_in(&contact).await, gx.sign_in(&contact).await);
    let request = StreamBlocksRequest::default();
    let stream = laptop.ledger().stream_blocks(request).await;
    let mut stream = stream.expect("a stream").into_inner();
    stream.message().await.expect("a block");

    let mut identity = phone.identity();
    let sessions = identity.list_sessions(ListSessionsRequest::default()).await;
    let sessions = sessions.expect("sessions").into_inner().sessions;
    assert_eq!(sessions.len(), 2);
    let other = sessions.into_iter().find(|session| !session.current);
    let name = other.expect("the laptop's").name;
    let revoked = identity.revoke_session(RevokeSessionRequest { name }).await;
    revoked.expect("revoked");
    let end = loop {
        if let Err(status) = stream.message().await {
            break Refusal::of(&status);
        }
    };
    assert_eq!(end.told(), (Code::Unauthenticated, "SESSION_REVOKED"));

    identity.logout(LogoutRequest {}).await.expect("out");
    let again = identity.logout(LogoutRequest {}).await;
    let told = Refusal::of(&again.expect_err("no session"));
    assert_eq!(told.told(), (Code::Unauthenticated, "SESSION_REVOKED"));
}
