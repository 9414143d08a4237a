//! How the state is read and written: what a peer offers is used, and what it does
//! not offer is never sent.

use gx_fabric::proto::protos::{
    ChaincodeAdditionalParams, GetStateMultiple, GetStateMultipleResult, QueryResponse,
    QueryResultBytes, WriteBatchState, chaincode_message::Type,
};
use gx_fabric::proto::queryresult::Kv;
use prost::Message;

use crate::{
    harness::{Member, Script, Server},
    peer::{Peer, answer, offers},
    simulator::{Simulator, answer_to},
};

const BATCHED: [Type; 2] = [Type::GetStateMultiple, Type::WriteBatchState];

#[tokio::test]
async fn what_a_peer_does_not_offer_is_never_sent() {
    let server = Server::start(Script).await;
    let off = ChaincodeAdditionalParams {
        use_write_batch: false,
        use_get_multiple_keys: false,
        ..offers(1_000)
    };
    for offered in [None, Some(off)] {
        let mut peer = Peer::ready(&server, offered).await;
        let mut simulator = Simulator::new();
        let batch = Member::partner().batch("fetch a b; get a; get b; put a 1; delete b");
        peer.run_one(&mut simulator, batch).await;
        for kind in BATCHED {
            assert_eq!(simulator.count(kind), 0, "{kind:?}");
        }
        let single = [Type::GetState, Type::PutState, Type::DelState];
        assert_eq!(single.map(|kind| simulator.count(kind)), [2, 1, 1]);
    }
    server.stop().await;
}

#[tokio::test]
async fn each_batched_operation_is_used_only_if_offered() {
    let server = Server::start(Script).await;
    let script = "fetch a b c d e; get a; put a 1; put b 1; put c 1; delete d; put e 1";
    let reads = ChaincodeAdditionalParams {
        use_write_batch: false,
        ..offers(2)
    };
    let writes = ChaincodeAdditionalParams {
        use_get_multiple_keys: false,
        ..offers(2)
    };
    for (offered, expected) in [(offers(2), [3, 3]), (reads, [3, 0]), (writes, [0, 3])] {
        let mut peer = Peer::ready(&server, Some(offered)).await;
        let mut simulator = Simulator::new();
        peer.run_one(&mut simulator, Member::partner().batch(script))
            .await;
        assert_eq!(BATCHED.map(|kind| simulator.count(kind)), expected);
    }
    server.stop().await;
}

#[tokio::test]
async fn no_message_has_more_keys_than_the_peer_takes() {
    let server = Server::start(Script).await;
    let mut peer = Peer::ready(&server, Some(offers(3))).await;
    peer.send(Member::partner().batch("fetch a b c d e f g; put a 1; put b 1; put c 1; put d 1"))
        .await;
    let mut simulator = Simulator::new();
    let mut sizes = Vec::new();
    loop {
        let question = peer.next().await;
        let payload = question.payload.clone();
        sizes.push(match question.r#type() {
            Type::GetStateMultiple => GetStateMultiple::decode(payload).unwrap().keys.len(),
            Type::WriteBatchState => WriteBatchState::decode(payload).unwrap().rec.len(),
            _ => break,
        });
        peer.send(simulator.answer(&question)).await;
    }
    assert_eq!(sizes, [3, 3, 1, 3, 1]);
    server.stop().await;
}

#[tokio::test]
async fn another_number_of_values_than_keys_is_refused() {
    let server = Server::start(Script).await;
    for values in [0, 1, 3] {
        let mut peer = Peer::ready(&server, Some(offers(100))).await;
        peer.send(Member::partner().batch("fetch a b; get a; put a 1"))
            .await;
        let question = peer.next().await;
        let wrong = GetStateMultipleResult {
            values: vec!["1".into(); values],
        };
        peer.send(answer_to(&question, Type::Response, wrong.encode_to_vec()))
            .await;
        let failed = answer(peer.next().await);
        assert_eq!(failed.response.status, 500);
        let words = format!("{values} values for 2 keys");
        assert!(
            failed.response.message.contains(&words),
            "{:?}",
            failed.response
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn nothing_reads_its_own_writes() {
    let server = Server::start(Script).await;
    for offered in [None, Some(offers(100))] {
        let mut peer = Peer::ready(&server, offered).await;
        let mut simulator = Simulator::holding(["a".to_owned()]);
        let batch = Member::partner().batch("put a 1; get a; delete a; get a; put b 1; get b");
        let answer = peer.run_one(&mut simulator, batch).await;
        assert_eq!(&answer.event.unwrap().payload[..], b"a=a a=a b=-");
    }
    server.stop().await;
}

fn thousand() -> Vec<String> {
    (0..1_000).map(|number| format!("k{number:03}")).collect()
}

async fn range(server: &Server, simulator: &mut Simulator, limit: usize) -> String {
    let mut peer = Peer::ready(server, None).await;
    let query = Member::partner().call("Query", format!("range k l {limit}"), 0);
    let answer = peer.run_one(simulator, query).await.response;
    assert_eq!(answer.status, 200, "{answer:?}");
    String::from_utf8(answer.payload.to_vec()).unwrap()
}

#[tokio::test]
async fn a_range_is_read_to_its_end_although_peers_cut_it_silently() {
    let server = Server::start(Script).await;
    for range_max in [100_000, 1_000, 333, 100, 1] {
        let mut simulator = Simulator::holding(thousand());
        simulator.range_max = range_max;
        let found = range(&server, &mut simulator, 2_000).await;
        assert_eq!(found, thousand().join(" "), "{range_max}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_limited_range_takes_no_more_and_is_closed() {
    let server = Server::start(Script).await;
    for limit in [0, 1, 100, 101, 999, 1_000] {
        let mut simulator = Simulator::holding(thousand());
        let found = range(&server, &mut simulator, limit).await;
        assert_eq!(found, thousand()[..limit].join(" "));
        let closed = usize::from((1..=900).contains(&limit));
        assert_eq!(simulator.count(Type::QueryStateClose), closed, "{limit}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_range_of_keys_that_were_not_asked_for_or_without_end_is_refused() {
    let server = Server::start(Script).await;
    let pages: [(&[&str], bool); 5] = [
        (&["j"], false),
        (&["l"], false),
        (&["k2", "k1"], false),
        (&["k1", "k1"], false),
        (&[], true),
    ];
    for (keys, has_more) in pages {
        let mut peer = Peer::ready(&server, None).await;
        peer.send(Member::partner().call("Query", "range k l 10", 0))
            .await;
        let results = keys.iter().map(|key| {
            let entry = Kv {
                key: (*key).to_owned(),
                ..Kv::default()
            };
            QueryResultBytes {
                result_bytes: entry.encode_to_vec().into(),
            }
        });
        let page = QueryResponse {
            results: results.collect(),
            has_more,
            ..QueryResponse::default()
        };
        let question = peer.next().await;
        peer.send(answer_to(&question, Type::Response, page.encode_to_vec()))
            .await;
        assert_eq!(answer(peer.next().await).response.status, 500, "{keys:?}");
    }
    server.stop().await;
}
