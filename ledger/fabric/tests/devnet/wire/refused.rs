//! What the door refuses: proposals, transactions and requests that are not their
//! creator's, and creators who are nobody's.

use std::sync::atomic::Ordering;

use gx_fabric::{
    ChaincodeFailure, GxContract,
    ca::{Authority, Holder, Unit},
    contract::{FUNCTION_BATCH, FUNCTION_QUERY},
    devnet::system_clock,
    msp::SigningIdentity,
    proto::{common::Envelope, protos::SignedProposal},
};
use gx_proto::gx::contract::v1::{Batch, BatchRefusal, Command, Domain, Lane};
use prost::Message;
use rcgen::KeyPair;
use tonic::{Code, Status};

use super::{
    edit::{edited, high, turned},
    harness::{Client, Net, details, sign},
};
use crate::harness::Script;

const DENIED: &str = "error validating proposal: access denied: channel [gx] creator org [Org1MSP]";
const UNKNOWN: &str = "error validating proposal: access denied: channel [gx] creator org unknown, \
                       creator is malformed";
const YEAR_MS: i64 = 366 * 24 * 60 * 60 * 1_000;

/// Both calls refuse a proposal, each with its own code, for one reason.
async fn refused(client: &mut Client, signed: SignedProposal, reason: &str) {
    let evaluated = client.evaluate(signed.clone()).await.unwrap_err();
    assert_eq!(evaluated.code(), Code::FailedPrecondition, "{evaluated:?}");
    assert_eq!(details(&evaluated)[0].message, reason);
    let endorsed = client.endorse(signed).await.unwrap_err();
    assert_eq!(endorsed.code(), Code::Aborted);
    let details = details(&endorsed);
    assert_eq!((details.len(), details[0].message.as_str()), (1, reason));
    assert_eq!(details[0].msp_id, "Org1MSP");
}

fn forbidden(refused: &Status) {
    assert_eq!(refused.code(), Code::Aborted);
    assert!(
        refused.message().contains("status=FORBIDDEN"),
        "{refused:?}"
    );
}

/// A transaction that the partner might sign.
async fn prepared(net: &Net, client: &mut Client) -> Envelope {
    let partner = net.identity("partner");
    let proposal = net.proposal(partner, FUNCTION_BATCH, "put a 1");
    client.endorse(proposal.signed(partner)).await.unwrap()
}

/// A client of an organization of the same name whose authority nobody knows.
pub(crate) fn stranger() -> SigningIdentity {
    let now_ms = (system_clock())();
    let authority = Authority::create("ca.org1", now_ms).unwrap();
    let holder = Holder {
        name: "partner".into(),
        unit: Unit::Client,
        attributes: [("gxc_role".to_owned(), "gx_partner_api".to_owned())].into(),
    };
    let key = KeyPair::generate().unwrap();
    let hour = std::time::Duration::from_secs(3_600);
    let certificate = authority.issue(&holder, &key, now_ms, hour).unwrap();
    SigningIdentity::from_pem("Org1MSP", &certificate, &key.serialize_pem()).unwrap()
}

#[tokio::test]
async fn a_proposal_with_one_bit_turned_is_run_by_nobody() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    let partner = net.identity("partner");
    let proposal = net.proposal(partner, FUNCTION_BATCH, "put a 1");
    let signed = proposal.signed(partner);
    for byte in (0..signed.proposal_bytes.len()).step_by(3) {
        let signed = SignedProposal {
            proposal_bytes: turned(&signed.proposal_bytes, byte * 8 + byte % 8),
            ..signed.clone()
        };
        assert!(client.endorse(signed).await.is_err(), "byte {byte}");
    }
    for byte in 0..signed.signature.len() {
        let signed = SignedProposal {
            signature: turned(&signed.signature, byte * 8 + byte % 8),
            ..signed.clone()
        };
        refused(&mut client, signed, DENIED).await;
    }
    assert!(client.endorse(signed).await.is_ok(), "unturned");
}

#[tokio::test]
async fn a_transaction_with_one_bit_turned_is_not_ordered() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    let envelope = sign(net.identity("partner"), &prepared(&net, &mut client).await);
    for byte in (0..envelope.payload.len()).step_by(11) {
        let envelope = Envelope {
            payload: turned(&envelope.payload, byte * 8 + byte % 8),
            ..envelope.clone()
        };
        let refused = client.submit(envelope).await.unwrap_err();
        assert_eq!(refused.code(), Code::Aborted, "byte {byte}");
    }
    for byte in 0..envelope.signature.len() {
        let envelope = Envelope {
            signature: turned(&envelope.signature, byte * 8 + byte % 8),
            ..envelope.clone()
        };
        forbidden(&client.submit(envelope).await.unwrap_err());
    }
    assert_eq!(net.core.pending(), 0);
    client.submit(envelope).await.unwrap();
    assert_eq!(net.core.pending(), 1);
}

#[tokio::test]
async fn a_signature_with_high_s_is_none() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    let partner = net.identity("partner");
    let mut signed = net
        .proposal(partner, FUNCTION_BATCH, "put a 1")
        .signed(partner);
    signed.signature = high(&signed.signature);
    refused(&mut client, signed, DENIED).await;
    let mut envelope = sign(partner, &prepared(&net, &mut client).await);
    envelope.signature = high(&envelope.signature);
    forbidden(&client.submit(envelope).await.unwrap_err());
    assert_eq!(net.core.pending(), 0);
}

#[tokio::test]
async fn nobody_signs_for_another() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    let (partner, admin) = (net.identity("partner"), net.identity("admin"));
    let signed = net
        .proposal(partner, FUNCTION_BATCH, "put a 1")
        .signed(admin);
    refused(&mut client, signed, DENIED).await;
    let envelope = prepared(&net, &mut client).await;
    forbidden(&client.submit(sign(admin, &envelope)).await.unwrap_err());
    let unsigned = client.submit(envelope).await.unwrap_err();
    assert_eq!(unsigned.code(), Code::InvalidArgument);
    assert_eq!(net.core.pending(), 0);
}

#[tokio::test]
async fn a_certificate_of_a_foreign_authority_is_nobody_s() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    let stranger = stranger();
    let signed = net
        .proposal(&stranger, FUNCTION_BATCH, "put a 1")
        .signed(&stranger);
    refused(&mut client, signed, UNKNOWN).await;
    let envelope = prepared(&net, &mut client).await;
    let envelope = edited(&envelope, &stranger, |parts| {
        parts.creator.creator = stranger.creator().clone();
    });
    forbidden(&client.submit(envelope).await.unwrap_err());
    let refused = client.status(&stranger, "ab").await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_certificate_that_has_expired_submits_nothing() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    let partner = net.identity("partner");
    let envelope = sign(partner, &prepared(&net, &mut client).await);
    net.ahead_ms.store(YEAR_MS, Ordering::Relaxed);

    let now_ms = (net.core.options().clock)();
    let proposal = net.proposal_at(partner, FUNCTION_BATCH, "put a 1", now_ms);
    let evaluated = client.evaluate(proposal.signed(partner)).await.unwrap_err();
    assert_eq!(evaluated.code(), Code::Unavailable);
    let said: Vec<_> = details(&evaluated)
        .into_iter()
        .map(|detail| detail.message)
        .collect();
    assert_eq!(
        said,
        [
            "proposal client identity expired",
            "rpc error: code = Unknown desc = proposal client identity expired"
        ]
    );
    let endorsed = client.endorse(proposal.signed(partner)).await.unwrap_err();
    assert_eq!(
        details(&endorsed)[0].message,
        "proposal client identity expired"
    );
    let refused = client.submit(envelope).await.unwrap_err();
    assert!(
        refused
            .message()
            .ends_with("info=broadcast client identity expired")
    );
    assert_eq!(net.core.pending(), 0);
}

#[tokio::test]
async fn a_peer_submits_nothing_and_may_read() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    let peer = &net.material.organizations[0].peer;
    let signed = net.proposal(peer, FUNCTION_BATCH, "put a 1").signed(peer);
    let endorsed = client.endorse(signed).await.unwrap_err();
    assert!(
        details(&endorsed)[0]
            .message
            .contains("'Writers' sub-policies")
    );
    let partner = net.identity("partner");
    let proposal = net.proposal(partner, FUNCTION_BATCH, "put a 2");
    let prepared = client.endorse(proposal.signed(partner)).await.unwrap();
    client.submit(sign(partner, &prepared)).await.unwrap();
    net.core.cut_block().unwrap();
    assert_eq!(
        client.status(peer, &proposal.tx_id).await.unwrap().result,
        0
    );
}

#[tokio::test]
async fn another_channel_is_not_known() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    let partner = net.identity("partner");
    let prepared = prepared(&net, &mut client).await;
    let envelope = edited(&prepared, partner, |parts| {
        parts.channel.channel_id = "other".into()
    });
    let refused = client.submit(envelope).await.unwrap_err();
    assert!(
        refused
            .message()
            .ends_with("status=BAD_REQUEST, info=channel does not exist")
    );
    assert_eq!(net.core.pending(), 0);

    let other = Net::with(Script, |options| options.channel = "other".into(), |_| {}).await;
    let proposal = other.proposal(partner, FUNCTION_BATCH, "put a 1");
    let evaluated = client.evaluate(proposal.signed(partner)).await.unwrap_err();
    assert_eq!(evaluated.code(), Code::Unavailable);
    let endorsed = client.endorse(proposal.signed(partner)).await.unwrap_err();
    assert_eq!(endorsed.code(), Code::FailedPrecondition);
    let mut client = other.client().await;
    let status = client.status(partner, &proposal.tx_id).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    assert_eq!(
        status.message(),
        "Failed to get policy manager for channel [gx]"
    );
}

#[tokio::test]
async fn a_lane_is_moved_by_its_role_s_certificate_alone() {
    let net = Net::start(GxContract).await;
    let mut client = net.client().await;
    let batch = Batch {
        lane: Some(Lane {
            domain: Domain::Sys.into(),
            number: 0,
        }),
        commands: vec![Command {
            id: vec![1; 16].into(),
            request_digest: vec![2; 32].into(),
            ..Command::default()
        }],
        ..Batch::default()
    };
    for name in ["partner", "admin", "user", "super_admin"] {
        let who = net.identity(name);
        let proposal = net.proposal(who, FUNCTION_BATCH, batch.encode_to_vec());
        let refused = client.endorse(proposal.signed(who)).await.unwrap_err();
        let said = ChaincodeFailure::new(details(&refused)[0].message.clone());
        let by_lane = said.refusal().unwrap().reason() == BatchRefusal::Lane;
        assert_eq!(by_lane, name != "super_admin", "{name}: {said}");
    }
}

#[tokio::test]
async fn a_proposal_s_time_is_about_the_network_s() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    let partner = net.identity("partner");
    let now_ms = (system_clock())();
    let ahead = net.proposal_at(partner, FUNCTION_BATCH, "put a 1", now_ms + 120_000);
    let refused = client.endorse(ahead.signed(partner)).await.unwrap_err();
    let said = &details(&refused)[0].message;
    assert!(
        said.starts_with("chaincode response 500, the transaction's time is"),
        "{said}"
    );
    for far in [-16 * 60_000, 16 * 60_000] {
        let far = net.proposal_at(partner, FUNCTION_QUERY, "get a", now_ms + far);
        let refused = client.evaluate(far.signed(partner)).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        let said = &details(&refused)[0].message;
        assert!(
            said.starts_with("request unauthorized due to incorrect timestamp"),
            "{said}"
        );
    }
}
