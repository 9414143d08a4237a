//! Transactions: interleaved, many at once, of several peers.

use std::time::Duration;

use gx_fabric::{chaincode::Outcome, proto::protos::chaincode_message::Type};

use crate::{
    harness::{Member, Script, Server},
    peer::{Peer, answer, message, offers},
    simulator::{Simulator, answer_to},
};

#[tokio::test]
async fn a_completed_batch_carries_its_event_and_a_query_its_answer() {
    let server = Server::start(Script).await;
    let mut peer = Peer::ready(&server, Some(offers(100))).await;
    let mut simulator = Simulator::holding(["a".to_owned()]);
    let member = Member::partner();

    let batch = peer
        .run_one(&mut simulator, member.batch("get a; put b 1"))
        .await;
    let event = batch.event.unwrap();
    assert_eq!(event.event_name, "gx.batch.v1");
    assert_eq!(&event.payload[..], b"a=a");
    assert_eq!(
        (batch.response.status, batch.response.payload.len()),
        (200, 0)
    );

    let query = member.call("Query", "get a", 0);
    let query = peer.run_one(&mut simulator, query).await;
    assert_eq!(&query.response.payload[..], b"a=a");
    assert!(query.event.is_none());
    assert_eq!(server.counts.outcomes(), [Outcome::Completed; 2]);
    server.stop().await;
}

#[tokio::test]
async fn five_hundred_transactions_at_once_on_one_stream_all_pass() {
    for offered in [None, Some(offers(100))] {
        let server = Server::start(Script).await;
        let mut peer = Peer::ready(&server, offered).await;
        let member = Member::partner();
        let transactions: Vec<_> = (0..500)
            .map(|number| member.batch(format!("get a; get k{number}; put k{number} {number}")))
            .collect();
        let ids: Vec<_> = transactions.iter().map(|one| one.txid.clone()).collect();
        let mut simulator = Simulator::new();
        let answers = peer.run(&mut simulator, transactions).await;
        for (number, id) in ids.iter().enumerate() {
            assert_eq!(answers[id].response.status, 200);
            assert_eq!(simulator.set(id).writes[0].key, format!("k{number}"));
        }
        assert_eq!(server.counts.outcomes(), [Outcome::Completed; 500]);
        server.stop().await;
    }
}

#[tokio::test]
async fn two_peers_interleave_and_each_keeps_its_own_state() {
    let server = Server::start(Script).await;
    let mut old = Peer::ready(&server, None).await;
    let mut new = Peer::ready(&server, Some(offers(2))).await;
    let transaction = Member::partner().batch("get a; put b 1; get c");
    old.send(transaction.clone()).await;
    new.send(transaction.clone()).await;

    let mut behind = Simulator::new();
    let mut ahead = Simulator::holding(["a".to_owned(), "c".to_owned()]);
    // Each asks twice to read and once to write.
    for _ in 0..3 {
        let (one, other) = (old.next().await, new.next().await);
        new.send(ahead.answer(&other)).await;
        old.send(behind.answer(&one)).await;
    }
    let seen = |message| answer(message).event.unwrap().payload;
    assert_eq!(&seen(old.next().await)[..], b"a=- c=-");
    assert_eq!(&seen(new.next().await)[..], b"a=a c=c");
    assert_eq!(behind.count(Type::WriteBatchState), 0);
    assert_eq!(ahead.count(Type::WriteBatchState), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_transaction_asks_one_thing_at_a_time() {
    let server = Server::start(Script).await;
    let mut peer = Peer::ready(&server, None).await;
    peer.send(Member::partner().batch("fetch a b c; get a; put d 1"))
        .await;
    let mut simulator = Simulator::new();
    for asked in [
        Type::GetState,
        Type::GetState,
        Type::GetState,
        Type::PutState,
    ] {
        let question = peer.next().await;
        assert_eq!(question.r#type(), asked);
        peer.send(message(Type::Keepalive)).await;
        assert_eq!(
            peer.next().await.r#type(),
            Type::Keepalive,
            "nothing else is asked"
        );
        peer.send(simulator.answer(&question)).await;
    }
    assert_eq!(peer.next().await.r#type(), Type::Completed);
    assert_eq!(
        server
            .counts
            .trips
            .load(std::sync::atomic::Ordering::SeqCst),
        4
    );
    server.stop().await;
}

#[tokio::test]
async fn a_contract_that_breaks_fails_its_transaction_alone() {
    let server = Server::start(Script).await;
    let mut peer = Peer::ready(&server, None).await;
    let member = Member::partner();
    let mut simulator = Simulator::new();
    let broken = peer.run_one(&mut simulator, member.batch("panic")).await;
    assert_eq!(broken.kind, Type::Error);
    let sound = peer.run_one(&mut simulator, member.batch("put a 1")).await;
    assert_eq!(sound.response.status, 200);
    assert_eq!(
        server.counts.outcomes(),
        [Outcome::Failed, Outcome::Completed]
    );
    server.stop().await;
}

#[tokio::test]
async fn a_refused_read_fails_the_transaction_with_the_peer_s_words() {
    let server = Server::start(Script).await;
    let mut peer = Peer::ready(&server, None).await;
    let member = Member::partner();
    peer.send(member.batch("get a; put b 1")).await;
    let question = peer.next().await;
    peer.send(answer_to(&question, Type::Error, "no ledger context"))
        .await;
    let failed = answer(peer.next().await);
    assert_eq!(failed.response.status, 500);
    assert!(failed.response.message.contains("no ledger context"));
    assert!(failed.event.is_none());
    assert_eq!(server.counts.outcomes(), [Outcome::Failed]);
    server.stop().await;
}

#[tokio::test]
async fn a_write_that_is_refused_fails_the_transaction() {
    for offered in [None, Some(offers(1))] {
        let server = Server::start(Script).await;
        let mut peer = Peer::ready(&server, offered).await;
        peer.send(Member::partner().batch("put a 1; put b 1")).await;
        let first = peer.next().await;
        peer.send(answer_to(&first, Type::Response, "")).await;
        let second = peer.next().await;
        peer.send(answer_to(&second, Type::Error, "no")).await;
        let failed = answer(peer.next().await);
        assert_eq!((failed.response.status, failed.event), (500, None));
        server.stop().await;
    }
}

#[tokio::test]
async fn a_peer_that_does_not_answer_does_not_keep_a_thread() {
    let server = Server::with(Script, |options| {
        options.answer_timeout = Duration::from_millis(20);
        options.threads = 1;
    })
    .await;
    let mut peer = Peer::ready(&server, None).await;
    let member = Member::partner();
    for _ in 0..3 {
        peer.send(member.batch("get a")).await;
    }
    let mut failed = 0;
    while failed < 3 {
        let message = peer.next().await;
        if message.r#type() == Type::Completed {
            let response = answer(message).response;
            assert!(response.message.contains("within 20 ms"), "{response:?}");
            failed += 1;
        }
    }
    assert_eq!(server.counts.outcomes(), [Outcome::Failed; 3]);
    server.stop().await;
}
