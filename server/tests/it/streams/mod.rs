//! Streams of blocks, of operations and of wallets, over gRPC alone: whatever cuts them, they
//! go on without a gap; each shows what its reader may see; and many of them, some
//! of which nobody reads, hold up nobody.

mod ends;
mod goes_on;
mod many;
mod wallets;

use gx_proto::gx::{
    ledger::v1::{Block, Command, StreamBlocksRequest, StreamBlocksResponse},
    operation::v1::OperationType,
};
use tonic::{Status, Streaming};

use crate::harness::Client;

/// A stream of blocks, and where it would go on.
struct Blocks {
    client: Client,
    request: StreamBlocksRequest,
    stream: Streaming<StreamBlocksResponse>,
}

impl Blocks {
    async fn open(client: &Client, request: StreamBlocksRequest) -> Result<Self, Status> {
        let stream = client.ledger().stream_blocks(request.clone()).await?;
        Ok(Self {
            client: client.clone(),
            request,
            stream: stream.into_inner(),
        })
    }

    /// All blocks from a number on.
    async fn from(client: &Client, from_block: u64) -> Self {
        let request = StreamBlocksRequest {
            from_block,
            ..StreamBlocksRequest::default()
        };
        Self::open(client, request).await.expect("a stream")
    }

    /// Cuts the stream and opens it again where it was.
    async fn again(self) -> Self {
        let Self {
            client,
            request,
            stream,
        } = self;
        drop(stream);
        Self::open(&client, request).await.expect("a stream")
    }

    /// The next block; none where the stream tells how far it is.
    async fn next(&mut self) -> Result<Option<Block>, Status> {
        let sent = self
            .stream
            .message()
            .await?
            .expect("no end without a status");
        assert!(sent.next_block >= self.request.from_block, "it goes on");
        self.request.from_block = sent.next_block;
        Ok(sent.block)
    }
}

/// The commands that a block shows.
fn commands(block: Block) -> Vec<Command> {
    let transactions = block.transactions.into_iter();
    transactions.flat_map(|one| one.commands).collect()
}

/// The transfers among commands, by their operations' names.
fn transfers(commands: &[Command]) -> Vec<String> {
    let transfers = commands
        .iter()
        .filter(|command| command.r#type() == OperationType::Transfer);
    transfers.map(|command| command.operation.clone()).collect()
}
