//! What is refused, with which code and in whose words.

use futures::{StreamExt, stream};
use gx_contract::lane::STAFF_LANE;
use gx_fabric::{
    ChaincodeFailure, Ledger,
    contract::{FUNCTION_BATCH, FUNCTION_QUERY},
    header::to_timestamp,
    proto::{
        common::{self, ChannelHeader, Envelope, Header, HeaderType, Payload, SignatureHeader},
        gateway::{EndorseRequest, ErrorDetail, EvaluateRequest},
        orderer::{SeekInfo, SeekPosition, SeekSpecified, seek_position::Type},
        protos::{
            DeliverResponse, SignedProposal, deliver_client::DeliverClient, deliver_response,
        },
    },
};
use gx_proto::gx::contract::v1::BatchRefusal;
use p256::ecdsa::Signature;
use prost::Message;
use tonic::{Code, Status};

use crate::net::{LANE, Net, batch, void};

/// What a peer says of a proposal that its creator did not sign.
const DENIED: &str = "access denied";

pub(crate) async fn a_lane_is_moved_by_its_role_alone(net: &Net) {
    let body = void(&net.cursor(LANE).await)
        .commands
        .remove(0)
        .body
        .unwrap();
    let staff = batch(STAFF_LANE, &net.cursor(STAFF_LANE).await, body);
    let proposal = net.proposal(FUNCTION_BATCH, staff.encode_to_vec(), 0);
    let refused = endorse(net, net.signed(proposal)).await;
    assert_eq!(refused.code(), Code::Aborted);
    let told = details(&refused);
    let refusal = told
        .iter()
        .find_map(|told| ChaincodeFailure::new(&told.message).refusal());
    assert_eq!(refusal.unwrap().reason(), BatchRefusal::Lane, "{told:?}");
}

pub(crate) async fn a_turned_bit_and_a_high_s_are_no_signature(net: &Net) {
    let before = net.cursor(LANE).await;
    let batch = void(&before).encode_to_vec();
    let signed = net.signed(net.proposal(FUNCTION_BATCH, batch, 0));
    let turned = |bytes: &[u8]| {
        let mut turned = bytes.to_vec();
        let last = turned.len() - 1;
        turned[last] ^= 1;
        turned
    };
    let (r, s) = Signature::from_der(&signed.signature)
        .unwrap()
        .split_scalars();
    let high = Signature::from_scalars(r, -s).unwrap().to_der();
    for wrong in [
        turned(&signed.signature).into(),
        high.as_bytes().to_vec().into(),
    ] {
        let wrong = SignedProposal {
            signature: wrong,
            ..signed.clone()
        };
        let endorsed = endorse(net, wrong.clone()).await;
        assert_eq!(endorsed.code(), Code::Aborted, "{endorsed:?}");
        assert!(
            details(&endorsed)[0].message.contains(DENIED),
            "{endorsed:?}"
        );
        let evaluated = evaluate(net, wrong).await;
        assert_eq!(evaluated.code(), Code::FailedPrecondition, "{evaluated:?}");
    }
    assert_eq!(net.cursor(LANE).await, before);
}

pub(crate) async fn a_batch_from_the_future_is_refused(net: &Net) {
    let batch = void(&net.cursor(LANE).await).encode_to_vec();
    let proposal = net.proposal(FUNCTION_BATCH, batch, 90_000);
    let refused = endorse(net, net.signed(proposal)).await;
    assert_eq!(refused.code(), Code::Aborted);
    let told = details(&refused);
    assert!(told[0].message.contains("ahead of the clock"), "{told:?}");
}

pub(crate) async fn an_error_of_the_chaincode_is_told_by_each_call_in_its_way(net: &Net) {
    let signed = net.signed(net.proposal(FUNCTION_QUERY, vec![0xff], 0));
    let evaluated = evaluate(net, signed.clone()).await;
    assert_eq!(evaluated.code(), Code::Unknown, "{evaluated:?}");
    assert!(evaluated.message().contains("chaincode response 500, "));
    let endorsed = endorse(net, signed).await;
    assert_eq!(endorsed.code(), Code::Aborted, "{endorsed:?}");
    let told = details(&endorsed);
    assert_eq!(told[0].msp_id, net.ledger.msp_id());
    assert!(
        told[0].message.starts_with("chaincode response 500, "),
        "{told:?}"
    );
}

pub(crate) async fn blocks_that_cannot_be_given_end_with_a_status(net: &Net) {
    let beyond = u64::MAX - 1;
    let own = net.channel_id.as_str();
    for (channel, from, until, expected) in [
        (own, beyond, u64::MAX, common::Status::NotFound),
        (own, 1, 0, common::Status::BadRequest),
        ("nochannel", 0, 0, common::Status::NotFound),
    ] {
        let ended = seek(net, channel, from, until).await;
        let expected = deliver_response::Type::Status(expected.into());
        assert_eq!(ended.r#type, Some(expected), "{channel} {from} {until}");
    }
}

async fn endorse(net: &Net, signed: SignedProposal) -> Status {
    let request = EndorseRequest {
        channel_id: net.channel_id.clone(),
        proposed_transaction: Some(signed),
        ..EndorseRequest::default()
    };
    net.gateway().endorse(request).await.unwrap_err()
}

async fn evaluate(net: &Net, signed: SignedProposal) -> Status {
    let request = EvaluateRequest {
        channel_id: net.channel_id.clone(),
        proposed_transaction: Some(signed),
        ..EvaluateRequest::default()
    };
    net.gateway().evaluate(request).await.unwrap_err()
}

/// What the peers had to say.
fn details(status: &Status) -> Vec<ErrorDetail> {
    let status = tonic_types::Status::decode(status.details()).unwrap();
    let details = status.details.iter();
    details
        .map(|any| ErrorDetail::decode(any.value.as_slice()).unwrap())
        .collect()
}

/// The first answer to a request for blocks.
async fn seek(net: &Net, channel: &str, from: u64, until: u64) -> DeliverResponse {
    let position = |number| {
        Some(SeekPosition {
            r#type: Some(Type::Specified(SeekSpecified { number })),
        })
    };
    let info = SeekInfo {
        start: position(from),
        stop: position(until),
        ..SeekInfo::default()
    };
    let channel_header = ChannelHeader {
        r#type: HeaderType::DeliverSeekInfo as i32,
        timestamp: Some(to_timestamp((gx_fabric::devnet::system_clock())())),
        channel_id: channel.to_owned(),
        ..ChannelHeader::default()
    };
    let signature_header = SignatureHeader {
        creator: net.partner.creator().clone(),
        nonce: vec![7; 24].into(),
    };
    let payload = Payload {
        header: Some(Header {
            channel_header: channel_header.encode_to_vec().into(),
            signature_header: signature_header.encode_to_vec().into(),
        }),
        data: info.encode_to_vec().into(),
    };
    let payload = payload.encode_to_vec();
    let envelope = Envelope {
        signature: net.partner.sign(&payload),
        payload: payload.into(),
    };
    let requests = stream::iter([envelope]).chain(stream::pending());
    let mut client = DeliverClient::new(net.channel.clone());
    let answers = client.deliver(requests).await.unwrap();
    answers.into_inner().message().await.unwrap().unwrap()
}
