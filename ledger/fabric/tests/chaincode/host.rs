//! Who runs the contract: asked for itself, the contract of a real server says what the
//! peer that asks has offered, each peer its own.

use gx_fabric::{
    GxContract,
    contract::FUNCTION_QUERY,
    proto::protos::{ChaincodeAdditionalParams, chaincode_message::Type},
};
use gx_proto::gx::contract::v1::{
    ContractInfo, Query, QueryContract, QueryResult, StateDatabase, query, query_result,
};
use prost::Message;

use crate::{
    harness::{Member, NOW_MS, Server},
    peer::{Peer, offers},
    simulator::Simulator,
};

/// What the contract says of itself through a peer.
async fn asked(peer: &mut Peer) -> ContractInfo {
    asked_over(peer, &mut Simulator::new()).await
}

/// The same over a state.
async fn asked_over(peer: &mut Peer, simulator: &mut Simulator) -> ContractInfo {
    let query = Query {
        query: Some(query::Query::Contract(QueryContract {})),
    };
    let member = Member::new(None);
    let question = member.call(FUNCTION_QUERY, query.encode_to_vec(), NOW_MS);
    let answer = peer.run_one(simulator, question).await;
    assert_eq!(
        (answer.kind, answer.response.status),
        (Type::Completed, 200)
    );
    let result = QueryResult::decode(answer.response.payload).unwrap();
    let Some(query_result::Result::Contract(info)) = result.result else {
        panic!("{result:?}");
    };
    info
}

#[tokio::test]
async fn batched_operations_are_told_only_where_the_peer_offers_reads_and_writes() {
    let server = Server::start(GxContract).await;
    let reads_alone = ChaincodeAdditionalParams {
        use_write_batch: false,
        ..offers(1_000)
    };
    let writes_alone = ChaincodeAdditionalParams {
        use_get_multiple_keys: false,
        ..offers(1_000)
    };
    for (offered, batched) in [
        (None, false),
        (Some(reads_alone), false),
        (Some(writes_alone), false),
        (Some(offers(1_000)), true),
        (Some(offers(0)), true),
    ] {
        let mut peer = Peer::ready(&server, offered).await;
        let info = asked(&mut peer).await;
        assert_eq!(info.batched_operations, batched, "{offered:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn peers_of_one_server_differ_and_hear_its_clock_and_its_rules() {
    let server = Server::start(GxContract).await;
    let mut older = Peer::ready(&server, None).await;
    let mut newer = Peer::ready(&server, Some(offers(1_000))).await;
    let (newer, older) = (asked(&mut newer).await, asked(&mut older).await);
    assert!(newer.batched_operations && !older.batched_operations);
    let same = ContractInfo {
        batched_operations: true,
        ..older
    };
    assert_eq!(newer, same);
    assert_eq!(newer.time_ms, NOW_MS);
    let known = newer.rules_version_min..=newer.rules_version_max;
    assert!(known.contains(&newer.rules_version), "{newer:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_peer_s_state_database_is_told_from_how_it_answers() {
    let server = Server::start(GxContract).await;
    let mut peer = Peer::ready(&server, None).await;
    for (couch_db, expected) in [
        (true, StateDatabase::CouchDb),
        (false, StateDatabase::LevelDb),
    ] {
        let mut simulator = Simulator::new();
        simulator.couch_db = couch_db;
        let info = asked_over(&mut peer, &mut simulator).await;
        assert_eq!(info.state_database(), expected);
    }
    server.stop().await;
}
