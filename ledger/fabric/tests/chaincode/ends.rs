//! How streams and the server end, and what they leave: nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use gx_contract::{Invocation, State};
use gx_fabric::{
    ChaincodeFailure, Contract, chaincode::Outcome, proto::protos::chaincode_message::Type,
};

use crate::{
    harness::{Member, PATIENCE, Script, Server},
    peer::{Peer, answer, message, offers},
    simulator::{Simulator, answer_to},
};

/// Counts who is inside the contract.
struct Counted {
    inside: Arc<AtomicUsize>,
}

impl Contract for Counted {
    fn invoke(
        &self,
        state: &mut dyn State,
        invocation: &Invocation,
        argument: &[u8],
    ) -> Result<Vec<u8>, ChaincodeFailure> {
        self.inside.fetch_add(1, Ordering::SeqCst);
        let ran = Script.invoke(state, invocation, argument);
        self.inside.fetch_sub(1, Ordering::SeqCst);
        ran
    }

    fn query(&self, _: &mut dyn State, _: &[u8]) -> Result<Vec<u8>, ChaincodeFailure> {
        Err(ChaincodeFailure::new("no questions"))
    }
}

/// The runtime has fewer threads than are cut off, so one that stayed behind would
/// be missed.
#[test]
fn a_stream_cut_in_the_middle_leaves_no_thread_behind() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let inside = Arc::new(AtomicUsize::new(0));
        let contract = Counted {
            inside: inside.clone(),
        };
        let server = Server::with(contract, |options| options.threads = 2).await;
        let member = Member::partner();
        for cut in 1..=10 {
            let mut peer = Peer::ready(&server, None).await;
            for _ in 0..20 {
                peer.send(member.batch("get a; put a 1")).await;
            }
            // Its answer says that all have come before it.
            peer.send(message(Type::Keepalive)).await;
            let mut told = Vec::new();
            for _ in 0..3 {
                told.push(peer.next().await.r#type() as i32);
            }
            told.sort_unstable();
            let [get, keepalive] = [Type::GetState as i32, Type::Keepalive as i32];
            assert_eq!(told, [get, get, keepalive]);
            drop(peer);
            server.counts.closed(cut).await;
            assert_eq!(inside.load(Ordering::SeqCst), 0);
        }
        assert_eq!(server.counts.outcomes(), [Outcome::Abandoned; 200]);

        let mut peer = Peer::ready(&server, None).await;
        let last = member.batch("get a; put a 1");
        let last = peer.run_one(&mut Simulator::new(), last).await;
        assert_eq!(last.response.status, 200);
        server.stop().await;
    });
}

#[tokio::test]
async fn one_peer_s_end_does_not_touch_another_s_transactions() {
    let server = Server::start(Script).await;
    let member = Member::partner();
    let mut going = Peer::ready(&server, None).await;
    let mut staying = Peer::ready(&server, None).await;
    let transaction = member.batch("get a; put a 1");
    going.send(transaction.clone()).await;
    staying.send(transaction).await;
    going.next().await;
    let question = staying.next().await;
    drop(going);
    server.counts.closed(1).await;

    let mut simulator = Simulator::new();
    staying.send(simulator.answer(&question)).await;
    let question = staying.next().await;
    staying.send(simulator.answer(&question)).await;
    assert_eq!(answer(staying.next().await).response.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_stop_lets_transactions_end_and_takes_no_more() {
    let server = Server::start(Script).await;
    let member = Member::partner();
    let mut peer = Peer::ready(&server, Some(offers(100))).await;
    peer.send(member.batch("get a; put a 1")).await;
    let question = peer.next().await;
    server.shutdown.cancel();

    // Taken for new until the stream has heard of the stop.
    let mut simulator = Simulator::new();
    loop {
        let late = peer.run_one(&mut simulator, member.batch("")).await;
        if late.kind == Type::Error {
            assert!(late.response.message.contains("is stopping"));
            break;
        }
    }
    peer.send(simulator.answer(&question)).await;
    let question = peer.next().await;
    peer.send(simulator.answer(&question)).await;
    assert_eq!(answer(peer.next().await).response.status, 200);
    assert!(
        peer.try_next().await.unwrap().is_none(),
        "then it is closed"
    );
    drop(peer);
    server.stopped().await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_silent_peer_for_ever() {
    let server = Server::with(Script, |options| options.drain = Duration::from_millis(20)).await;
    let mut peer = Peer::ready(&server, None).await;
    peer.send(Member::partner().batch("get a")).await;
    assert_eq!(peer.next().await.r#type(), Type::GetState);
    let counts = server.counts.clone();
    server.stop().await;
    assert_eq!(counts.outcomes(), [Outcome::Abandoned]);
}

#[tokio::test]
async fn messages_above_four_megabytes_pass_both_ways() {
    let server = Server::start(Script).await;
    let mut peer = Peer::ready(&server, Some(offers(100))).await;
    let member = Member::partner();
    let large = "x".repeat(6 << 20);

    let script = format!("put a {large}");
    let mut simulator = Simulator::new();
    let written = peer.run_one(&mut simulator, member.batch(script)).await;
    assert_eq!(written.response.status, 200);

    peer.send(member.call("Query", "get a", 0)).await;
    let question = peer.next().await;
    peer.send(answer_to(&question, Type::Response, large.clone()))
        .await;
    let read = answer(peer.next().await).response;
    assert_eq!(read.payload.len(), large.len() + "a=".len());
    server.stop().await;
}

#[tokio::test]
async fn what_is_too_large_to_send_fails_its_transaction_alone() {
    let server = Server::with(Script, |options| options.message_bytes_max = 64 << 10).await;
    let mut peer = Peer::ready(&server, Some(offers(100))).await;
    let mut simulator = Simulator::new();
    let member = Member::partner();
    for script in ["say 70000", "grow a 70000"] {
        let answer = peer.run_one(&mut simulator, member.batch(script)).await;
        assert_ne!(answer.response.status, 200, "{script}");
        let words = answer.response.message;
        assert!(words.contains("than a stream takes"), "{words}");
    }
    let sound = peer.run_one(&mut simulator, member.batch("put a 1")).await;
    assert_eq!(sound.response.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_message_that_is_too_large_ends_its_stream_alone() {
    let server = Server::with(Script, |options| options.message_bytes_max = 1 << 20).await;
    let mut peer = Peer::ready(&server, None).await;
    let mut other = Peer::ready(&server, None).await;
    let member = Member::partner();
    peer.send(member.batch("get a")).await;
    assert_eq!(peer.next().await.r#type(), Type::GetState);
    let mut large = message(Type::Keepalive);
    large.payload = vec![0; 2 << 20].into();
    peer.send(large).await;
    let told = peer.try_next().await.unwrap_err();
    assert!(told.message().contains("length too large"), "{told}");
    server.counts.closed(1).await;
    assert_eq!(server.counts.outcomes(), [Outcome::Abandoned]);

    let sound = other
        .run_one(&mut Simulator::new(), member.batch("put a 1"))
        .await;
    assert_eq!(sound.response.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn more_streams_than_peers_are_refused() {
    let server = Server::start(Script).await;
    let mut open = Vec::new();
    for _ in 0..64 {
        open.push(Peer::dial(&server).await);
    }
    let endpoint = format!("http://{}", server.address);
    let channel = tonic::transport::Endpoint::from_shared(endpoint).unwrap();
    let refused = Peer::over(channel.connect().await.unwrap()).await;
    let refused = refused.err().unwrap();
    assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
    drop(open);
    server.counts.closed(64).await;
    assert!(
        tokio::time::timeout(PATIENCE, Peer::dial(&server))
            .await
            .is_ok()
    );
    server.stop().await;
}
