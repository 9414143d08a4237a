//! What becomes of a transaction that its creator has changed after it was endorsed.
//! The orderer does not look into it; the committer does. Each row was seen on a real
//! network.

use bytes::Bytes;
use gx_fabric::{contract::FUNCTION_BATCH, header::transaction_id, msp::SigningIdentity};

use super::{
    edit::{Parts, edited, high, turned},
    harness::Net,
};
use crate::harness::Script;

type Change = fn(&mut Parts, &SigningIdentity);

/// What is changed, how, and the flag that follows.
const ROWS: &[(&str, Change, u8)] = &[
    ("nothing", |_, _| {}, 0),
    ("no nonce", |parts, _| parts.creator.nonce.clear(), 3),
    ("epoch", |parts, _| parts.channel.epoch = 1, 3),
    ("type 0", |parts, _| parts.channel.r#type = 0, 3),
    ("type 5", |parts, _| parts.channel.r#type = 5, 3),
    ("type 99", |parts, _| parts.channel.r#type = 99, 3),
    ("id", |parts, _| parts.channel.tx_id = "ab".repeat(32), 8),
    (
        "id of another nonce",
        |parts, who| {
            parts.creator.nonce = Bytes::from_static(b"another");
            parts.channel.tx_id = transaction_id(b"another", who.creator());
        },
        5,
    ),
    (
        "time",
        |parts, _| parts.channel.timestamp.as_mut().unwrap().seconds -= 3_600,
        5,
    ),
    (
        "argument",
        |parts, _| {
            let call = &mut parts.call.chaincode_proposal_payload;
            *call = turned(call, call.len() * 8 - 8);
        },
        5,
    ),
    (
        "header of the action",
        |parts, _| {
            let header = [&parts.action().header[..], &[0x1a, 1, 0]].concat();
            parts.action().header = header.into();
        },
        5,
    ),
    (
        "two actions",
        |parts, _| {
            let action = parts.action().clone();
            parts.transaction.actions.push(action);
        },
        5,
    ),
    ("no action", |parts, _| parts.transaction.actions.clear(), 5),
    (
        "no transaction",
        |parts, _| parts.body = Some(vec![0xff; 3]),
        5,
    ),
    (
        "an endorsement's signature",
        |parts, _| {
            let signature = &mut parts.endorsements()[0].signature;
            *signature = turned(signature, signature.len() * 8 - 8);
        },
        10,
    ),
    (
        "an endorsement's signature with high s",
        |parts, _| {
            let signature = &mut parts.endorsements()[1].signature;
            *signature = high(signature);
        },
        10,
    ),
    (
        "an endorser",
        |parts, _| {
            let endorser = &mut parts.endorsements()[0].endorser;
            *endorser = turned(endorser, (endorser.len() - 60) * 8);
        },
        10,
    ),
    (
        "one endorsement missing",
        |parts, _| parts.endorsements().truncate(1),
        10,
    ),
    (
        "no endorsement",
        |parts, _| parts.endorsements().clear(),
        10,
    ),
    (
        "one endorsement twice",
        |parts, _| {
            let first = parts.endorsements()[0].clone();
            parts.endorsements()[1] = first;
        },
        10,
    ),
    (
        "what was endorsed",
        |parts, _| {
            let payload = &mut parts.endorsed().proposal_response_payload;
            *payload = turned(payload, payload.len() * 8 - 8);
        },
        10,
    ),
    (
        "endorsed by a client",
        |parts, who| {
            let payload = parts.endorsed().proposal_response_payload.clone();
            let endorsement = &mut parts.endorsements()[0];
            endorsement.endorser = who.creator().clone();
            endorsement.signature = who.sign(&[&payload[..], who.creator()].concat());
        },
        10,
    ),
    (
        "a third endorsement that is no good",
        |parts, who| {
            let mut third = parts.endorsements()[0].clone();
            third.endorser = who.creator().clone();
            parts.endorsements().push(third);
        },
        0,
    ),
    (
        "the order of endorsements",
        |parts, _| parts.endorsements().reverse(),
        0,
    ),
];

#[tokio::test]
async fn a_transaction_that_its_creator_has_changed_gets_fabric_s_flag() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    let partner = net.identity("partner");
    let mut invalid = 0;
    for (index, (what, change, flag)) in ROWS.iter().enumerate() {
        let proposal = net.proposal(partner, FUNCTION_BATCH, format!("put k{index} 1"));
        let prepared = client.endorse(proposal.signed(partner)).await.unwrap();
        let envelope = edited(&prepared, partner, |parts| change(parts, partner));
        client.submit(envelope).await.unwrap();
        let number = net.core.cut_block().unwrap().unwrap();
        assert_eq!(net.flags(number), [*flag], "{what}");
        invalid += u32::from(*flag != 0);
    }
    assert_eq!(invalid as usize + 3, ROWS.len());
}

#[tokio::test]
async fn one_organization_alone_endorses_in_vain() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    let partner = net.identity("partner");
    for msp_id in ["Org1MSP", "Org2MSP"] {
        let proposal = net.proposal(partner, FUNCTION_BATCH, "put a 1");
        let signed = proposal.signed(partner);
        let twice = [msp_id, msp_id];
        let mut prepared = client.endorse_by(signed, &twice).await.unwrap();
        prepared = edited(&prepared, partner, |parts| {
            assert_eq!(parts.endorsements().len(), 1);
        });
        client.submit(prepared).await.unwrap();
        let number = net.core.cut_block().unwrap().unwrap();
        assert_eq!(net.flags(number), [10], "{msp_id}");
    }
}

#[tokio::test]
async fn an_invalid_transaction_keeps_its_id() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    let partner = net.identity("partner");
    let proposal = net.proposal(partner, FUNCTION_BATCH, "put a 1");
    let sound = client.endorse(proposal.signed(partner)).await.unwrap();
    let spoilt = edited(&sound, partner, |parts| parts.endorsements().clear());
    for (envelope, flag) in [(spoilt, 10), (edited(&sound, partner, |_| {}), 9)] {
        client.submit(envelope).await.unwrap();
        let number = net.core.cut_block().unwrap().unwrap();
        assert_eq!(net.flags(number), [flag]);
        let status = client.status(partner, &proposal.tx_id).await.unwrap();
        assert_eq!((status.result, status.block_number), (10, 1));
    }
}
