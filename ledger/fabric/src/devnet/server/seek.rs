//! The request for blocks: who asks, from where, until where.

use std::sync::Arc;

use prost::Message;

use super::gateway::Peer;
use crate::{
    devnet::{endorser::TIME_WINDOW_MS, trust::Signed, unmarshal::unmarshal},
    header::{Headers, from_timestamp},
    msp::{Kind, Member},
    proto::{
        common::{Block, Envelope, Payload, Status},
        orderer::{
            SeekInfo, SeekPosition,
            seek_info::{SeekBehavior, SeekContentType},
            seek_position::Type,
        },
    },
};

/// What is asked for.
pub(super) struct Seek {
    /// The first block's number.
    pub(super) from: u64,
    pub(super) until: Until,
    /// A block that does not exist yet is not waited for.
    pub(super) fails_if_not_ready: bool,
    /// Blocks are sent without their envelopes.
    headers_alone: bool,
    reader: Arc<Member>,
}

/// Where a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// With the block of this number.
    Block(u64),
    /// Nowhere.
    Forever,
}

impl Seek {
    /// Opens a request and checks who sends it.
    ///
    /// # Errors
    /// With the status that Fabric answers.
    pub(super) fn open(peer: &Peer, request: &Envelope) -> Result<Self, Status> {
        let payload: Payload =
            unmarshal("Payload", &request.payload).map_err(|_| Status::BadRequest)?;
        let header = payload.header.ok_or(Status::BadRequest)?;
        let headers = Headers::read(header).map_err(|_| Status::BadRequest)?;
        let now_ms = (peer.core.options().clock)();
        if !is_of_now(&headers, now_ms) {
            return Err(Status::BadRequest);
        }
        if headers.channel.channel_id != peer.core.options().channel {
            return Err(Status::NotFound);
        }
        let info = SeekInfo::decode(payload.data).map_err(|_| Status::BadRequest)?;
        let signed = Signed {
            creator: &headers.signature.creator,
            message: &request.payload,
            signature: &request.signature,
        };
        let reader = peer.roll.signer(&signed, Kind::may_read);
        let reader = reader.ok_or(Status::Forbidden)?;
        let (from, until) = bounds(&info, peer.core.height())?;
        let seek = Self {
            from,
            until,
            fails_if_not_ready: info.behavior == SeekBehavior::FailIfNotReady as i32,
            headers_alone: info.content_type == SeekContentType::HeaderWithSig as i32,
            reader,
        };
        match seek.holds(peer) {
            true => Ok(seek),
            false => Err(Status::Forbidden),
        }
    }

    /// A block with as much of it as is asked for; configuration is always whole.
    pub(super) fn cut(&self, block: Block) -> Block {
        let configures = block
            .header
            .as_ref()
            .is_some_and(|header| header.number == 0);
        match self.headers_alone && !configures {
            true => Block {
                data: None,
                ..block
            },
            false => block,
        }
    }

    /// Whether the reader's certificate holds still.
    pub(super) fn holds(&self, peer: &Peer) -> bool {
        (peer.core.options().clock)() <= self.reader.certificate.not_after_ms()
    }
}

fn is_of_now(headers: &Headers, now_ms: i64) -> bool {
    let timestamp = headers.channel.timestamp.as_ref();
    timestamp.is_some()
        && from_timestamp(timestamp).abs_diff(now_ms) <= TIME_WINDOW_MS.unsigned_abs()
}

/// The first block and the end, as Fabric reads positions.
fn bounds(info: &SeekInfo, height: u64) -> Result<(u64, Until), Status> {
    let (start, stop) = match (&info.start, &info.stop) {
        (Some(start), Some(stop)) => (start, stop),
        _ => return Err(Status::BadRequest),
    };
    let newest = height.saturating_sub(1);
    let from = match start.r#type.as_ref().ok_or(Status::NotFound)? {
        Type::Oldest(_) => 0,
        Type::Newest(_) => newest,
        Type::NextCommit(_) => height,
        Type::Specified(at) if at.number > height => return Err(Status::NotFound),
        Type::Specified(at) => at.number,
    };
    Ok((from, until(stop, from, newest)?))
}

fn until(stop: &SeekPosition, from: u64, newest: u64) -> Result<Until, Status> {
    let number = match &stop.r#type {
        Some(Type::Oldest(_)) => from,
        Some(Type::Newest(_)) => newest,
        Some(Type::Specified(at)) if at.number < from => return Err(Status::BadRequest),
        Some(Type::Specified(at)) => at.number,
        Some(Type::NextCommit(_)) | None => 0,
    };
    // An end that lies behind is never met.
    match number < from {
        true => Ok(Until::Forever),
        false => Ok(Until::Block(number)),
    }
}
