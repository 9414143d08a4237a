//! Requests for blocks, with what may be wrong about them, and what comes back.

use futures::StreamExt;
use gx_fabric::{
    devnet::system_clock,
    header::to_timestamp,
    msp::SigningIdentity,
    proto::{
        common::{ChannelHeader, Envelope, Header, HeaderType, Payload, SignatureHeader, Status},
        orderer::{
            SeekInfo, SeekNewest, SeekNextCommit, SeekOldest, SeekPosition, SeekSpecified,
            seek_info::SeekBehavior, seek_position,
        },
        protos::{DeliverResponse, deliver_response::Type},
    },
};
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Streaming;

use super::harness::{Client, Net, sign};

const WAIT: SeekBehavior = SeekBehavior::BlockUntilReady;
pub(super) const FAIL: SeekBehavior = SeekBehavior::FailIfNotReady;

pub(super) fn at(number: u64) -> Option<SeekPosition> {
    position(seek_position::Type::Specified(SeekSpecified { number }))
}

pub(super) fn position(r#type: seek_position::Type) -> Option<SeekPosition> {
    Some(SeekPosition {
        r#type: Some(r#type),
    })
}

pub(super) fn oldest() -> Option<SeekPosition> {
    position(seek_position::Type::Oldest(SeekOldest {}))
}

pub(super) fn newest() -> Option<SeekPosition> {
    position(seek_position::Type::Newest(SeekNewest {}))
}

pub(super) fn next() -> Option<SeekPosition> {
    position(seek_position::Type::NextCommit(SeekNextCommit {}))
}

/// A request for blocks, with what may be wrong about it.
pub(super) struct Ask {
    pub(super) channel: &'static str,
    pub(super) time_ms: i64,
    pub(super) start: Option<SeekPosition>,
    pub(super) stop: Option<SeekPosition>,
    pub(super) behavior: SeekBehavior,
}

impl Ask {
    pub(super) fn new(start: Option<SeekPosition>, stop: Option<SeekPosition>) -> Self {
        Self {
            channel: "gx",
            time_ms: (system_clock())(),
            start,
            stop,
            behavior: WAIT,
        }
    }

    pub(super) fn signed(&self, who: &SigningIdentity) -> Envelope {
        let channel = ChannelHeader {
            r#type: HeaderType::DeliverSeekInfo as i32,
            channel_id: self.channel.into(),
            timestamp: Some(to_timestamp(self.time_ms)),
            ..ChannelHeader::default()
        };
        let creator = SignatureHeader {
            creator: who.creator().clone(),
            nonce: vec![7; 24].into(),
        };
        let seek = SeekInfo {
            start: self.start,
            stop: self.stop,
            behavior: self.behavior.into(),
            ..SeekInfo::default()
        };
        let payload = Payload {
            header: Some(Header {
                channel_header: channel.encode_to_vec().into(),
                signature_header: creator.encode_to_vec().into(),
            }),
            data: seek.encode_to_vec().into(),
        };
        let envelope = Envelope {
            payload: payload.encode_to_vec().into(),
            ..Envelope::default()
        };
        sign(who, &envelope)
    }
}

/// An open stream of blocks.
pub(super) struct Stream {
    pub(super) requests: mpsc::UnboundedSender<Envelope>,
    pub(super) answers: Streaming<DeliverResponse>,
}

/// What comes down a stream.
#[derive(Debug, PartialEq)]
pub(super) enum Got {
    Block(u64),
    Status(Status),
    End,
}

impl Stream {
    pub(super) async fn open(client: &mut Client) -> Self {
        let (requests, receiver) = mpsc::unbounded_channel();
        let stream = UnboundedReceiverStream::new(receiver);
        let answers = client.deliver.deliver(stream).await.unwrap().into_inner();
        Self { requests, answers }
    }

    pub(super) fn ask(&self, request: Envelope) {
        self.requests.send(request).unwrap();
    }

    pub(super) async fn next(&mut self) -> Got {
        match self.answers.next().await {
            None => Got::End,
            Some(answer) => match answer.unwrap().r#type.unwrap() {
                Type::Block(block) => Got::Block(block.header.unwrap().number),
                Type::Status(status) => Got::Status(Status::try_from(status).unwrap()),
                other => panic!("{other:?}"),
            },
        }
    }

    pub(super) async fn take<const N: usize>(&mut self) -> [Got; N] {
        let mut got = [const { Got::End }; N];
        for got in &mut got {
            *got = self.next().await;
        }
        got
    }
}

/// A request, what ends it, and the blocks before that.
pub(super) async fn asked(net: &Net, client: &mut Client, ask: Ask) -> (Vec<u64>, Status) {
    answered(client, ask.signed(net.identity("user"))).await
}

pub(super) async fn answered(client: &mut Client, request: Envelope) -> (Vec<u64>, Status) {
    let mut stream = Stream::open(client).await;
    stream.ask(request);
    let mut blocks = Vec::new();
    loop {
        match stream.next().await {
            Got::Block(number) => blocks.push(number),
            Got::Status(status) => {
                if status != Status::Success {
                    assert_eq!(stream.next().await, Got::End, "after {status:?}");
                }
                return (blocks, status);
            }
            Got::End => panic!("no status"),
        }
    }
}
