//! Commands whose answers are lost.

use futures::TryStreamExt;
use gx_sdk::{
    GxClient, Transfer,
    operation::{ListOperationsRequest, OperationType},
};
use tokio::task::JoinHandle;

use crate::{
    gateway::Gateway,
    harness::{Person, Way, gx, two_people},
};

#[tokio::test]
async fn a_transfer_whose_answer_is_lost_is_the_same_transfer_when_it_is_sent_again() {
    let (server, ann, bee) = two_people().await;
    let way = Way::to(server.port).await;
    let over = ann.over(&way).await;
    let sent = done_unanswered(&over, &way, ann.pays(&bee, gx("100")), &bee).await;
    way.cut();
    is_the_only_one(&ann, &sent.await.unwrap()).await;
}

#[tokio::test]
async fn a_transfer_whose_answer_dies_with_the_gateway_is_the_same_when_it_is_sent_again() {
    let (server, ann, bee) = two_people().await;
    let way = Way::to(server.port).await;
    let mut gateway = Gateway::start(way.port, server.port).await;
    let over = ann.at(gateway.url()).await;
    // Else the gateway may not know yet that the service is there.
    over.wallet().get(&ann.account).await.unwrap();
    let sent = done_unanswered(&over, &way, ann.pays(&bee, gx("100")), &bee).await;
    gateway.kill();
    way.cut();
    gateway.revive().await;
    is_the_only_one(&ann, &sent.await.unwrap()).await;
}

/// Sends a transfer of 100 GX, and waits until the server has done it, of which its client
/// hears nothing; the call, which answers the operation's name once it is settled.
async fn done_unanswered(
    over: &GxClient,
    way: &Way,
    transfer: Transfer,
    receiver: &Person,
) -> JoinHandle<String> {
    let mut seen = receiver.gx.wallet().watch(&receiver.account, "");
    way.lose_answers();
    let over = over.clone();
    let sent = tokio::spawn(async move {
        let answered = over.wallet().transfer(transfer).await.expect("taken");
        let name = answered.name().to_owned();
        answered.settled().await.expect("settled");
        name
    });
    while let Some(change) = seen.try_next().await.expect("a stream") {
        if change.wallet.expect("a wallet").balance() == gx("600") {
            break;
        }
    }
    assert!(!sent.is_finished());
    sent
}

/// There is no other transfer of theirs.
async fn is_the_only_one(payer: &Person, name: &str) {
    let filter = ListOperationsRequest {
        types: vec![OperationType::Transfer.into()],
        ..ListOperationsRequest::default()
    };
    let all: Vec<_> = payer
        .gx
        .operations()
        .list(filter)
        .try_collect()
        .await
        .expect("operations");
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].name, name);
}
