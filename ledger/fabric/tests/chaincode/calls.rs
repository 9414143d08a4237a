//! What a call must be, and who may make it.

use gx_contract::lane::{FIRST_DIGEST, LaneName, STAFF_LANE, SYSTEM_LANE};
use gx_fabric::{
    ChaincodeFailure, GxContract,
    chaincode::Outcome,
    proto::protos::{ChaincodeInput, ChaincodeMessage, SignedProposal, chaincode_message::Type},
};
use gx_proto::gx::contract::v1::{Batch, BatchRefusal, Bootstrap, Command, command::Body};
use prost::Message;

use crate::{
    harness::{Member, NOW_MS, Script, Server},
    peer::{Answer, Peer, offers},
    simulator::Simulator,
};

/// Runs one transaction on a server and a state of its own.
async fn run(server: &Server, transaction: ChaincodeMessage) -> Answer {
    let mut peer = Peer::ready(server, Some(offers(100))).await;
    peer.run_one(&mut Simulator::new(), transaction).await
}

fn bootstrap(lane: LaneName) -> Vec<u8> {
    let command = Command {
        id: vec![1; 16].into(),
        request_digest: vec![1; 32].into(),
        body: Some(Body::Bootstrap(Bootstrap { partner_lanes: 4 })),
    };
    let batch = Batch {
        lane: Some(lane.into()),
        first_sequence: 1,
        previous_digest: FIRST_DIGEST.to_vec().into(),
        rules_version: 1,
        commands: vec![command],
        credits: Vec::new(),
    };
    batch.encode_to_vec()
}

fn input(args: &[&[u8]]) -> Vec<u8> {
    let args = args.iter().map(|arg| arg.to_vec().into()).collect();
    ChaincodeInput {
        args,
        ..ChaincodeInput::default()
    }
    .encode_to_vec()
}

#[tokio::test]
async fn a_lane_is_moved_by_its_own_role_alone() {
    let server = Server::start(GxContract).await;
    let roles = [
        (Some("gx_partner_api"), STAFF_LANE),
        (Some("gx_partner_api"), SYSTEM_LANE),
        (Some("gx_admin"), SYSTEM_LANE),
        (Some("gx_root"), SYSTEM_LANE),
        (None, SYSTEM_LANE),
    ];
    for (role, lane) in roles {
        let batch = Member::new(role).batch(bootstrap(lane));
        let response = run(&server, batch).await.response;
        assert_eq!(response.status, 500, "{role:?} {lane:?}");
        let refused = ChaincodeFailure::new(response.message).refusal().unwrap();
        assert_eq!(refused.reason(), BatchRefusal::Lane, "{role:?} {lane:?}");
    }
    let own = Member::new(Some("gx_super_admin")).batch(bootstrap(SYSTEM_LANE));
    let answer = run(&server, own).await;
    assert_eq!(answer.response.status, 200, "{:?}", answer.response);
    server.stop().await;
}

#[tokio::test]
async fn a_proposal_more_than_a_minute_ahead_is_refused() {
    let server = Server::start(Script).await;
    let member = Member::partner();
    let late = member.call("Batch", "put a 1", NOW_MS + 60_001);
    let answer = run(&server, late).await;
    assert_eq!(answer.response.status, 500);
    assert!(answer.response.message.contains("ahead of the clock"));
    let fine = member.call("Batch", "put a 1", NOW_MS + 60_000);
    assert_eq!(run(&server, fine).await.response.status, 200);
    assert_eq!(
        server.counts.outcomes(),
        [Outcome::Refused, Outcome::Completed]
    );
    server.stop().await;
}

#[tokio::test]
async fn a_function_that_does_not_exist_is_refused_by_name() {
    let server = Server::start(Script).await;
    for function in ["Mint", "batch", ""] {
        let call = Member::partner().call(function, "put a 1", NOW_MS);
        let answer = run(&server, call).await;
        assert_eq!(
            (answer.kind, answer.response.status),
            (Type::Completed, 500)
        );
        assert!(answer.response.message.contains(&format!("{function:?}")));
    }
    server.stop().await;
}

/// What another chaincode asks for carries its caller's proposal, which says
/// something else.
#[tokio::test]
async fn a_call_that_is_not_its_proposal_s_is_refused() {
    let server = Server::start(Script).await;
    let member = Member::partner();
    let sound = || member.batch("put a 1");
    let mut other_argument = sound();
    other_argument.payload = input(&[b"Batch", b"put a 2"]).into();
    let mut other_function = sound();
    other_function.payload = input(&[b"Query", b"put a 1"]).into();
    let mut more = sound();
    more.payload = input(&[b"Batch", b"put a 1", b"more"]).into();
    let mut other_channel = sound();
    other_channel.channel_id = "other".into();
    let mut other_id = sound();
    other_id.txid = "00".into();
    let mut without = sound();
    without.proposal = None;
    for call in [
        other_argument,
        other_function,
        more,
        other_channel,
        other_id,
        without,
    ] {
        assert_eq!(run(&server, call).await.response.status, 500);
    }
    assert_eq!(run(&server, sound()).await.response.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_read_ends_the_transaction_and_not_the_stream() {
    let server = Server::start(GxContract).await;
    let mut peer = Peer::ready(&server, None).await;
    let mut simulator = Simulator::new();
    let member = Member::partner();
    let noise = || vec![0xff; 40];
    let mut input = member.batch(noise());
    input.payload = noise().into();
    let mut proposal = member.batch("");
    proposal.proposal = Some(SignedProposal {
        proposal_bytes: noise().into(),
        signature: noise().into(),
    });
    for call in [
        input,
        proposal,
        member.batch(noise()),
        member.call("Query", noise(), NOW_MS),
    ] {
        let answer = peer.run_one(&mut simulator, call).await;
        assert_eq!(answer.response.status, 500);
    }
    assert!(simulator.asked.is_empty(), "nothing was read for them");
    server.stop().await;
}

#[tokio::test]
async fn init_does_nothing_without_a_function_and_else_what_the_function_does() {
    let server = Server::start(Script).await;
    let member = Member::partner();
    let init = |mut message: ChaincodeMessage| {
        message.set_type(Type::Init);
        message
    };
    let mut empty = init(member.batch(""));
    empty.payload = input(&[]).into();
    let answer = run(&server, empty).await;
    assert_eq!(
        (answer.kind, answer.response.status),
        (Type::Completed, 200)
    );

    let answer = run(&server, init(member.batch("put a 1"))).await;
    assert_eq!(
        (answer.kind, answer.response.status),
        (Type::Completed, 200)
    );
    assert!(answer.event.is_some());

    let answer = run(&server, init(member.batch("cannot"))).await;
    assert_eq!(answer.kind, Type::Error);
    assert_eq!(answer.response.message, "cannot cannot");
    server.stop().await;
}
