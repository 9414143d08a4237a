//! Commands whose answers are lost.

use futures::TryStreamExt;
use gx_sdk::operation::{ListOperationsRequest, OperationType};

use crate::harness::{Way, gx, two_people};

#[tokio::test]
async fn a_transfer_whose_answer_is_lost_is_the_same_transfer_when_it_is_sent_again() {
    let (server, ann, bee) = two_people().await;
    let way = Way::to(server.port).await;
    let over = ann.over(&way).await;
    let transfer = ann.pays(&bee, gx("100"));

    way.lose_answers();
    let sent = tokio::spawn(async move { over.wallet().transfer(transfer).await });
    // The server has done it, and nobody has told the client.
    let mut seen = bee.gx.wallet().watch(&bee.account, "");
    while let Some(change) = seen.try_next().await.unwrap() {
        if change.wallet.unwrap().balance() == gx("600") {
            break;
        }
    }
    assert!(!sent.is_finished());
    way.cut();

    let answered = sent.await.unwrap().unwrap();
    let name = answered.name().to_owned();
    answered.settled().await.unwrap();
    let filter = ListOperationsRequest {
        types: vec![OperationType::Transfer.into()],
        ..ListOperationsRequest::default()
    };
    let all: Vec<_> = ann
        .gx
        .operations()
        .list(filter)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].name, name);
}
