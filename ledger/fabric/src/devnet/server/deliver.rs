//! `protos.Deliver`: blocks from a place on, whole or filtered, one request after the
//! other on a stream. Every stream reads for itself, so a slow reader holds up nobody.

use std::sync::Arc;

use futures::{Stream, StreamExt, stream::BoxStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::{
    answer::Gate,
    connection::Cut,
    filtered::filter,
    gateway::Peer,
    seek::{Seek, Until},
    status::shut_down,
};
use crate::{
    devnet::lock::lock,
    proto::{
        common::{self, Block, Envelope},
        protos::{
            BlockAndPrivateData, DeliverResponse, deliver_response::Type, deliver_server::Deliver,
        },
    },
};

/// What a block becomes on its way out.
type Form = fn(Block) -> Type;

/// A peer with its block streams.
#[derive(Clone)]
pub(super) struct Delivery {
    peer: Peer,
    gate: Gate,
}

type Answers = BoxStream<'static, Result<DeliverResponse, Status>>;

#[tonic::async_trait]
impl Deliver for Delivery {
    type DeliverStream = Answers;

    async fn deliver(
        &self,
        request: Request<Streaming<Envelope>>,
    ) -> Result<Response<Answers>, Status> {
        self.open(request, Type::Block)
    }

    type DeliverFilteredStream = Answers;

    async fn deliver_filtered(
        &self,
        request: Request<Streaming<Envelope>>,
    ) -> Result<Response<Answers>, Status> {
        self.open(request, filtered)
    }

    type DeliverWithPrivateDataStream = Answers;

    async fn deliver_with_private_data(
        &self,
        request: Request<Streaming<Envelope>>,
    ) -> Result<Response<Answers>, Status> {
        self.open(request, with_private_data)
    }
}

fn filtered(block: Block) -> Type {
    filter(&block).map_or(
        Type::Status(common::Status::BadRequest.into()),
        Type::FilteredBlock,
    )
}

/// The devnet's contract has no private data.
fn with_private_data(block: Block) -> Type {
    Type::BlockAndPrivateData(BlockAndPrivateData {
        block: Some(block),
        ..BlockAndPrivateData::default()
    })
}

impl Delivery {
    /// Of a peer, with room for so many streams.
    pub(super) fn new(peer: Peer, streams_max: usize) -> Self {
        let gate = Gate {
            service: "/protos.Deliver",
            permits: Arc::new(Semaphore::new(streams_max)),
            max: streams_max,
        };
        Self { peer, gate }
    }

    fn open(
        &self,
        request: Request<Streaming<Envelope>>,
        form: Form,
    ) -> Result<Response<Answers>, Status> {
        let place = self.gate.enter()?;
        let (_, extensions, requests) = request.into_parts();
        // One block is under way while the next is read.
        let (sender, receiver) = mpsc::channel(1);
        let stream = BlockStream {
            peer: self.peer.clone(),
            cut: Cut::of(&extensions),
            form,
            answers: sender,
        };
        tokio::spawn(async move {
            let _place = place;
            stream.serve(requests).await;
        });
        Ok(Response::new(ReceiverStream::new(receiver).boxed()))
    }
}

/// The reader has gone, or the devnet ends.
struct Gone;

/// One open stream.
struct BlockStream {
    peer: Peer,
    cut: Option<Cut>,
    form: Form,
    answers: mpsc::Sender<Result<DeliverResponse, Status>>,
}

impl BlockStream {
    /// Answers requests until one fails, the reader goes or the devnet ends.
    async fn serve(&self, requests: impl Stream<Item = Result<Envelope, Status>> + Unpin) {
        let ended = tokio::select! {
            () = self.answer_all(requests) => return,
            () = self.answers.closed() => return,
            () = self.peer.cancel.cancelled() => shut_down(),
        };
        // Whoever does not read now is not waited for.
        self.answers.try_send(Err(ended)).ok();
    }

    async fn answer_all(&self, mut requests: impl Stream<Item = Result<Envelope, Status>> + Unpin) {
        while let Some(Ok(request)) = requests.next().await {
            let Ok(status) = self.answer(&request).await else {
                return;
            };
            let sent = self.send(Type::Status(status.into())).await;
            if sent.is_err() || status != common::Status::Success {
                return;
            }
        }
    }

    /// Sends the blocks that one request asks for; the status that ends it.
    async fn answer(&self, request: &Envelope) -> Result<common::Status, Gone> {
        let peer = &self.peer;
        let seek = match Seek::open(peer, request) {
            Ok(seek) => seek,
            Err(status) => return Ok(status),
        };
        let mut number = seek.from;
        let mut blocks = Box::pin(peer.core.clone().deliver(number));
        loop {
            if seek.fails_if_not_ready && number >= peer.core.height() {
                return Ok(common::Status::NotFound);
            }
            let Some(Ok(block)) = blocks.next().await else {
                return Ok(common::Status::ServiceUnavailable);
            };
            if !seek.holds(peer) {
                return Ok(common::Status::Forbidden);
            }
            self.send((self.form)(seek.cut(block))).await?;
            if seek.until == Until::Block(number) {
                return Ok(common::Status::Success);
            }
            number += 1;
        }
    }

    async fn send(&self, answer: Type) -> Result<(), Gone> {
        if lock(&self.peer.core.faults).drop_connection()
            && let Some(cut) = &self.cut
        {
            cut.cut();
            return Err(Gone);
        }
        let answer = DeliverResponse {
            r#type: Some(answer),
        };
        self.answers.send(Ok(answer)).await.map_err(|_| Gone)
    }
}
