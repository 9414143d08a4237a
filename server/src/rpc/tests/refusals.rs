//! Every refusal that leaves the server is complete, whoever made it.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use axum::response::Response as HttpResponse;
use futures::future::BoxFuture;
use http_body_util::BodyExt;
use tonic::{
    Code, IntoRequest, Request, client::Grpc, codegen::http::uri::PathAndQuery,
    server::NamedService,
};
use tonic_prost::ProstCodec;

use super::*;

/// In place of the identity service: reads what it is sent and answers nothing.
#[derive(Debug, Clone)]
pub(super) struct Swallow;

impl NamedService for Swallow {
    const NAME: &'static str = "gx.identity.v1.IdentityService";
}

impl tower::Service<http::Request<tonic::body::Body>> for Swallow {
    type Response = HttpResponse;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<HttpResponse, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        Box::pin(async move {
            let answer = match request.into_body().collect().await {
                Ok(_) => Error::rejected(Reason::NotFound, "swallowed").into(),
                Err(status) => status,
            };
            Ok(answer.into_http())
        })
    }
}

/// A message whose first field is bytes where a string belongs.
#[derive(Clone, PartialEq, prost::Message)]
struct Raw {
    #[prost(bytes = "vec", tag = "1")]
    first: Vec<u8>,
}

/// Calls any method with any first field.
async fn raw(server: &Server, role: &str, path: &'static str, first: Vec<u8>) -> Told {
    let mut grpc = Grpc::new(server.channel().await);
    grpc.ready().await.unwrap();
    let mut request = Request::new(Raw { first });
    if !role.is_empty() {
        let token = format!("Bearer {role}").parse().unwrap();
        request.metadata_mut().insert("authorization", token);
    }
    let path = PathAndQuery::from_static(path);
    let codec = ProstCodec::<Raw, Raw>::default();
    told(
        grpc.unary(request.into_request(), path, codec)
            .await
            .unwrap_err(),
    )
}

#[tokio::test]
async fn methods_that_nobody_serves_are_unknown() {
    let server = Server::start().await;
    for path in [
        "/gx.wallet.v1.WalletService/Mint",
        "/gx.wallet.v1.WalletService/GetWallet",
        "/nothing",
        "/grpc.health.v1.Health/Feel",
    ] {
        let told = raw(&server, "", path, Vec::new()).await;
        assert_eq!(
            (told.code, told.reason.as_str()),
            (Code::Unimplemented, "UNKNOWN_METHOD")
        );
    }
}

#[tokio::test]
async fn callers_are_known_and_allowed_or_refused() {
    let server = Server::start().await;
    let cases = [
        ("", Code::Unauthenticated, "TOKEN_MISSING"),
        ("nobody", Code::Unauthenticated, "TOKEN_INVALID"),
        ("partner", Code::PermissionDenied, "ROLE_MISSING"),
    ];
    for (role, code, reason) in cases {
        let told = server.refused(role, "").await;
        assert_eq!((told.code, told.reason.as_str()), (code, reason));
    }
    server.get("user", "").await.unwrap();
}

#[tokio::test]
async fn messages_are_bounded_by_their_method() {
    let server = Server::with(|limits| limits.message_bytes = 4_096).await;
    let told = server.refused("user", &"x".repeat(5_000)).await;
    assert_eq!(
        (told.code, told.reason.as_str()),
        (Code::ResourceExhausted, "MESSAGE_TOO_LARGE")
    );
    assert_eq!(
        told.details.error_info().unwrap().metadata["limit_bytes"],
        "4096"
    );
    assert!(told.details.retry_info().is_none());

    let upload = "/gx.identity.v1.IdentityService/UploadDocument";
    let told = raw(&server, "user", upload, vec![0; 8 << 20]).await;
    assert_eq!(told.reason, "NOT_FOUND");
    let told = raw(&server, "user", upload, vec![0; 9 << 20]).await;
    assert_eq!(told.reason, "MESSAGE_TOO_LARGE");
}

/// One who sends large messages slowly leaves places to others.
#[tokio::test]
async fn one_caller_has_a_part_of_the_places_for_large_messages() {
    let server = Server::start().await;
    let upload = "/gx.identity.v1.IdentityService/UploadDocument";
    let mut slow = Vec::new();
    for number in 1..=Rooms::LARGE_OF_ONE {
        let mut grpc = Grpc::new(server.channel().await);
        grpc.ready().await.unwrap();
        let mut request = Request::new(futures::stream::pending::<Raw>());
        let token = "Bearer user".parse().unwrap();
        request.metadata_mut().insert("authorization", token);
        let path = PathAndQuery::from_static(upload);
        slow.push(tokio::spawn(async move {
            let codec = ProstCodec::<Raw, Raw>::default();
            grpc.client_streaming(request, path, codec).await
        }));
        let entered = Rooms::UPLOADS as usize - number;
        while server.rooms.uploads.available_permits() > entered {
            tokio::task::yield_now().await;
        }
    }
    let told = raw(&server, "user", upload, vec![0; 10]).await;
    assert_eq!(told.reason, "OVERLOADED");
    slow.into_iter().for_each(|call| call.abort());
}

#[tokio::test]
async fn what_is_no_message_of_the_method_is_malformed() {
    let server = Server::start().await;
    let told = raw(&server, "user", GET, vec![0xff, 0xfe]).await;
    assert_eq!(
        (told.code, told.reason.as_str()),
        (Code::InvalidArgument, "MALFORMED_MESSAGE")
    );
    assert!(!told.message.contains("UTF-8"), "{}", told.message);
}

#[tokio::test]
async fn faults_are_told_without_their_causes() {
    let server = Server::start().await;
    for name in ["panic", "database"] {
        let told = server.refused("user", name).await;
        assert_eq!(
            (told.code, told.reason.as_str()),
            (Code::Internal, "INTERNAL")
        );
        assert_eq!(told.message, "internal error");
    }
    assert_eq!(server.refused("user", "missing").await.reason, "NOT_FOUND");
}

#[tokio::test]
async fn a_database_that_is_away_may_be_back() {
    let server = Server::start().await;
    let told = server.refused("user", "away").await;
    assert_eq!(
        (told.code, told.reason.as_str()),
        (Code::Unavailable, "UNAVAILABLE")
    );
    assert!(!told.message.contains("pool"), "{}", told.message);
    let retry = told.details.retry_info().unwrap().retry_delay;
    assert_eq!(retry, Some(std::time::Duration::from_secs(1)));
}

#[tokio::test]
async fn calls_beyond_the_room_are_shed() {
    let server = Server::with(|limits| limits.concurrency = 1).await;
    let mut client = OperationServiceClient::new(server.channel().await);
    let held = tokio::spawn(async move { client.get_operation(get("user", "hold")).await });
    server.service.entered.notified().await;

    let told = server.refused("user", "").await;
    assert_eq!(
        (told.code, told.reason.as_str()),
        (Code::ResourceExhausted, "OVERLOADED")
    );
    assert!(told.details.retry_info().is_some());
    let mut client = OperationServiceClient::new(server.channel().await);
    let mut waits = Request::new(WaitOperationRequest::default());
    waits
        .metadata_mut()
        .insert("authorization", "Bearer user".parse().unwrap());
    client
        .wait_operation(waits)
        .await
        .expect("waiting has room of its own");

    server.service.leave.notify_one();
    held.await.unwrap().unwrap();
    server.get("user", "").await.unwrap();
}

#[tokio::test]
async fn large_messages_have_small_rooms_of_their_own() {
    let server = Server::start().await;
    let rooms = server.rooms.clone();
    let upload = "/gx.identity.v1.IdentityService/UploadDocument";
    // No service of this server: what is told behind the room is that.
    let batch = "/gx.wallet.v1.WalletService/BatchTransfer";
    for (method, room, places, behind) in [
        (upload, &rooms.uploads, Rooms::UPLOADS, "NOT_FOUND"),
        (batch, &rooms.batches, Rooms::BATCHES, "UNKNOWN_METHOD"),
    ] {
        let full = room.acquire_many(places).await.unwrap();
        let told = raw(&server, "user", method, vec![0; 100]).await;
        assert_eq!(
            (told.code, told.reason.as_str()),
            (Code::ResourceExhausted, "OVERLOADED")
        );
        assert!(told.details.retry_info().is_some());
        server.get("user", "").await.expect("others have room");

        drop(full);
        let told = raw(&server, "user", method, vec![0; 100]).await;
        assert_eq!(told.reason, behind);
    }
}

#[tokio::test]
async fn a_call_ends_at_its_deadline() {
    let server = Server::with(|limits| limits.timeout_ms = 1).await;
    let told = server.refused("user", "hold").await;
    assert_eq!(
        (told.code, told.reason.as_str()),
        (Code::DeadlineExceeded, "DEADLINE")
    );
}

#[tokio::test]
async fn costly_public_methods_are_limited_by_address() {
    let server = Server::with(|limits| (limits.public_per_s, limits.public_burst) = (2, 3)).await;
    let login = "/gx.identity.v1.IdentityService/Login";
    for _ in 0..3 {
        assert_eq!(
            raw(&server, "", login, Vec::new()).await.reason,
            "NOT_FOUND"
        );
    }
    let told = raw(&server, "", login, Vec::new()).await;
    assert_eq!(
        (told.code, told.reason.as_str()),
        (Code::ResourceExhausted, "RATE_LIMITED")
    );
    assert_eq!(told.details.error_info().unwrap().metadata["limit"], "2/s");
    assert!(told.details.retry_info().is_some());
    server
        .get("user", "")
        .await
        .expect("other methods are not limited with them");
}

#[tokio::test]
async fn a_change_of_password_is_as_costly_as_a_login() {
    let server = Server::with(|limits| (limits.public_per_s, limits.public_burst) = (2, 3)).await;
    let change = "/gx.identity.v1.IdentityService/ChangePassword";
    for expected in ["NOT_FOUND", "NOT_FOUND", "NOT_FOUND", "RATE_LIMITED"] {
        let told = raw(&server, "user", change, Vec::new()).await;
        assert_eq!(told.reason, expected);
    }
    let login = "/gx.identity.v1.IdentityService/Login";
    let told = raw(&server, "", login, Vec::new()).await;
    assert_eq!(told.reason, "RATE_LIMITED", "the two share one bucket");
}

#[tokio::test]
async fn callers_are_limited_wherever_they_call_from() {
    let server = Server::with(|limits| (limits.caller_per_s, limits.caller_burst) = (1, 2)).await;
    for _ in 0..2 {
        server.get("user", "").await.unwrap();
    }
    assert_eq!(server.refused("user", "").await.reason, "RATE_LIMITED");
}

#[tokio::test]
async fn the_clients_names_for_call_and_trace_are_kept() {
    let server = Server::start().await;
    let mut request = get("user", "");
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    request
        .metadata_mut()
        .insert("x-request-id", "mine-1".parse().unwrap());
    request
        .metadata_mut()
        .insert("traceparent", parent.parse().unwrap());
    let mut client = OperationServiceClient::new(server.channel().await);
    let answer = client.get_operation(request).await.unwrap();
    assert_eq!(answer.metadata().get("x-request-id").unwrap(), "mine-1");

    let seen = server.service.seen.lock().unwrap().take().unwrap();
    assert_eq!((seen.method, seen.request_id.as_str()), (GET, "mine-1"));
    assert_eq!(seen.client, std::net::Ipv4Addr::LOCALHOST);
    let continued = seen.traceparent.unwrap();
    assert!(
        continued.contains(trace) && continued != parent,
        "{continued}"
    );
}
