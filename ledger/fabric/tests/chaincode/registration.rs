//! How a stream begins: who speaks first, and what ends it before it began.

use gx_fabric::proto::protos::{ChaincodeMessage, chaincode_message::Type};

use crate::{
    harness::{Member, Script, Server},
    peer::{Peer, message},
    simulator::{Simulator, answer_to},
};

#[tokio::test]
async fn a_refused_registration_ends_the_stream_with_the_peer_s_words() {
    let server = Server::start(Script).await;
    let mut peer = Peer::dial(&server).await;
    let refused = answer_to(&message(Type::Register), Type::Error, "duplicate chaincode");
    peer.send(refused).await;

    let told = peer.next().await;
    assert_eq!(told.r#type(), Type::Error);
    let ended = peer.try_next().await.unwrap_err();
    assert_eq!(ended.code(), tonic::Code::FailedPrecondition);
    assert!(ended.message().contains("duplicate chaincode"), "{ended}");
    server.counts.closed(1).await;
    server.stop().await;
}

#[tokio::test]
async fn a_peer_that_closes_instead_of_registering_leaves_nothing() {
    let server = Server::start(Script).await;
    drop(Peer::dial(&server).await);
    server.counts.closed(1).await;
    server.stop().await;
}

#[tokio::test]
async fn a_transaction_before_ready_ends_the_stream() {
    let server = Server::start(Script).await;
    let mut peer = Peer::dial(&server).await;
    peer.send(message(Type::Registered)).await;
    peer.send(Member::partner().batch("put a 1")).await;
    assert_eq!(peer.next().await.r#type(), Type::Error);
    let ended = peer.try_next().await.unwrap_err();
    assert!(ended.message().contains("TRANSACTION"), "{ended}");
    server.stop().await;
}

#[tokio::test]
async fn a_keepalive_is_answered_at_any_time() {
    let server = Server::start(Script).await;
    let mut peer = Peer::dial(&server).await;
    let keepalive = message(Type::Keepalive);
    peer.send(keepalive.clone()).await;
    assert_eq!(peer.next().await, keepalive);
    peer.send(message(Type::Registered)).await;
    peer.send(message(Type::Ready)).await;
    peer.send(keepalive.clone()).await;
    assert_eq!(peer.next().await, keepalive);

    peer.send(Member::partner().batch("get a")).await;
    let question = peer.next().await;
    peer.send(keepalive.clone()).await;
    assert_eq!(
        peer.next().await,
        keepalive,
        "also while a transaction waits"
    );
    peer.send(Simulator::new().answer(&question)).await;
    assert_eq!(peer.next().await.r#type(), Type::Completed);
    server.stop().await;
}

#[tokio::test]
async fn answers_that_nobody_waits_for_harm_nobody() {
    let server = Server::start(Script).await;
    let mut peer = Peer::ready(&server, None).await;
    let transaction = Member::partner().batch("get a");
    for kind in [Type::Response, Type::Error] {
        peer.send(answer_to(&transaction, kind, "who asked?")).await;
        peer.send(answer_to(&ChaincodeMessage::default(), kind, ""))
            .await;
    }
    let answer = peer.run_one(&mut Simulator::new(), transaction).await;
    assert_eq!(answer.response.status, 200);
    server.stop().await;
}
