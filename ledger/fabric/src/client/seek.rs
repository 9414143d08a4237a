//! Asking a peer for blocks: one signed envelope a stream.

use bytes::Bytes;
use prost::Message;

use crate::{
    header::to_timestamp,
    msp::SigningIdentity,
    proto::{
        common::{ChannelHeader, Envelope, Header, HeaderType, Payload, SignatureHeader},
        orderer::{
            SeekInfo, SeekNewest, SeekPosition, SeekSpecified, seek_info::SeekBehavior,
            seek_position::Type,
        },
    },
};

/// The envelope that asks for what `seek` says.
pub(super) fn envelope(
    channel: &str,
    identity: &SigningIdentity,
    nonce: [u8; 24],
    now_ms: i64,
    seek: &SeekInfo,
) -> Envelope {
    let channel_header = ChannelHeader {
        r#type: HeaderType::DeliverSeekInfo as i32,
        timestamp: Some(to_timestamp(now_ms)),
        channel_id: channel.into(),
        ..Default::default()
    };
    let signature_header = SignatureHeader {
        creator: identity.creator().clone(),
        nonce: Bytes::copy_from_slice(&nonce),
    };
    let payload = Payload {
        header: Some(Header {
            channel_header: channel_header.encode_to_vec().into(),
            signature_header: signature_header.encode_to_vec().into(),
        }),
        data: seek.encode_to_vec().into(),
    };
    let payload = payload.encode_to_vec();
    Envelope {
        signature: identity.sign(&payload),
        payload: payload.into(),
    }
}

/// All blocks from a number on, also those to come.
pub(super) fn from(number: u64) -> SeekInfo {
    SeekInfo {
        start: specified(number),
        stop: specified(u64::MAX),
        behavior: SeekBehavior::BlockUntilReady as i32,
        ..Default::default()
    }
}

/// The last block alone.
pub(super) fn newest() -> SeekInfo {
    let newest = Some(SeekPosition {
        r#type: Some(Type::Newest(SeekNewest {})),
    });
    SeekInfo {
        start: newest,
        stop: newest,
        behavior: SeekBehavior::FailIfNotReady as i32,
        ..Default::default()
    }
}

fn specified(number: u64) -> Option<SeekPosition> {
    Some(SeekPosition {
        r#type: Some(Type::Specified(SeekSpecified { number })),
    })
}
