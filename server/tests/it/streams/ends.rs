//! How streams end: with their session, and where all places are taken.

use gx_proto::gx::{
    identity::v1::{ChangePasswordRequest, Role},
    ledger::v1::StreamBlocksRequest,
};
use tonic::Code;

use super::Blocks;
use crate::harness::{Database, Gx, PASSWORD, Refusal, unused_contact};

/// The end of a stream that nothing but its end can cut.
async fn end(mut stream: Blocks) -> (Code, String) {
    loop {
        if let Err(status) = stream.next().await {
            let refusal = Refusal::of(&status);
            return (status.code(), refusal.reason);
        }
    }
}

#[tokio::test]
async fn stream_ends_when_its_session_does() {
    let gx = Gx::start(Database::Sqlite).await;
    let contact = unused_contact();
    gx.register(&contact, "DE").await;
    let (first, second) = (gx.sign_in(&contact).await, gx.sign_in(&contact).await);
    let stream = Blocks::from(&first, 0).await;
    let change = ChangePasswordRequest {
        current_password: PASSWORD.to_owned(),
        new_password: "another passphrase".to_owned(),
    };
    second.identity().change_password(change).await.unwrap();
    let revoked = (Code::Unauthenticated, "SESSION_REVOKED".to_owned());
    assert_eq!(end(stream).await, revoked);

    let short = gx.caller_for(&[Role::Auditor], 3).await.client;
    let stream = Blocks::from(&short, 0).await;
    let expired = (Code::Unauthenticated, "TOKEN_EXPIRED".to_owned());
    assert_eq!(end(stream).await, expired);
}

#[tokio::test]
async fn one_caller_cannot_take_the_places_of_others() {
    let settings = [
        ("GX_LIMITS__CALLER_WATCHES", "2"),
        ("GX_LIMITS__WATCHES", "3"),
    ];
    let gx = Gx::start_with(Database::Sqlite, &settings).await;
    let (ann, bee) = (
        gx.caller(&[Role::Auditor]).await,
        gx.caller(&[Role::Auditor]).await,
    );
    let request = StreamBlocksRequest::default();
    let open = |caller: &crate::harness::Caller| {
        let (client, request) = (caller.client.clone(), request.clone());
        async move { Blocks::open(&client, request).await }
    };
    let turned_away = async |caller| {
        let refused = Refusal::of(&open(caller).await.err().expect("no place"));
        assert_eq!(refused.told(), (Code::ResourceExhausted, "OVERLOADED"));
        assert!(refused.retry_ms.is_some_and(|ms| ms > 0), "{refused:?}");
    };
    let _of_ann = [open(&ann).await.unwrap(), open(&ann).await.unwrap()];
    turned_away(&ann).await;
    let _of_bee = open(&bee).await.unwrap();
    turned_away(&bee).await;
    assert_eq!(gx.metric("gx_watches_open").await, 3.0);
}
