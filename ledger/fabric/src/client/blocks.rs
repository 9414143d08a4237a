//! Blocks from a peer: in order, unbroken, and whole.

use bytes::Bytes;
use futures::{Stream, StreamExt, future, stream};
use tokio::sync::oneshot;
use tonic::{Status, Streaming};

use super::failure;
use crate::{
    LedgerError, block,
    proto::{
        common::{self, Block, Envelope},
        protos::{DeliverResponse, deliver_response::Type},
    },
};

/// Keeps what a client sends open. A peer hears that its answers are not read any more
/// once neither the requests nor the answers are there: else it sends on, for ever.
pub(super) struct Asking {
    _open: oneshot::Sender<()>,
}

/// What a client sends: one request, and then nothing for as long as it asks.
pub(super) fn requests(
    envelope: Envelope,
) -> (impl Stream<Item = Envelope> + Send + 'static, Asking) {
    let (open, ended) = oneshot::channel();
    let nothing = stream::once(ended).filter_map(|_| future::ready(None));
    let requests = stream::iter([envelope]).chain(nothing);
    (requests, Asking { _open: open })
}

/// Reads the answers to a request for all blocks from `from` on.
pub(super) fn answers(
    answers: Streaming<DeliverResponse>,
    asking: Asking,
    from: u64,
) -> impl Stream<Item = Result<Block, LedgerError>> + Send + 'static {
    let reader = Reader {
        answers,
        _asking: asking,
        number: from,
        hash: None,
    };
    stream::unfold(Some(reader), |reader| async {
        let mut reader = reader?;
        match reader.next().await {
            Ok(block) => Some((Ok(block), Some(reader))),
            Err(error) => Some((Err(error), None)),
        }
    })
}

struct Reader {
    answers: Streaming<DeliverResponse>,
    _asking: Asking,
    /// The block to come.
    number: u64,
    /// The hash of the block before it, once one was read.
    hash: Option<[u8; 32]>,
}

impl Reader {
    async fn next(&mut self) -> Result<Block, LedgerError> {
        let answer = self.answers.message().await;
        let block = block_of(answer)?;
        let header = block::header(&block)?;
        if header.number != self.number {
            let told = header.number;
            let message = format!("block {told} came in place of block {}", self.number);
            return Err(LedgerError::Internal { message });
        }
        let follows = self
            .hash
            .is_none_or(|hash| header.previous_hash == Bytes::copy_from_slice(&hash));
        let data = block.data.as_ref();
        let whole = data.is_some_and(|data| block::data_hash(data) == header.data_hash);
        if !follows || !whole {
            let what = match follows {
                true => "holds other transactions than its header says",
                false => "does not follow the block before",
            };
            let message = format!("block {} {what}", self.number);
            return Err(LedgerError::Internal { message });
        }
        self.hash = Some(block::hash(&block));
        self.number += 1;
        Ok(block)
    }
}

fn block_of(answer: Result<Option<DeliverResponse>, Status>) -> Result<Block, LedgerError> {
    let answer = answer.map_err(|status| failure::asking(&status))?;
    match answer.and_then(|answer| answer.r#type) {
        Some(Type::Block(block)) => Ok(block),
        Some(Type::Status(status)) => Err(ended(status)),
        Some(_) => Err(LedgerError::internal("an answer that was not asked for")),
        None => Err(LedgerError::Unavailable {
            message: "the stream of blocks ended".into(),
        }),
    }
}

/// The number of blocks, from the answers to a request for the last one, filtered.
pub(super) async fn height(mut answers: Streaming<DeliverResponse>) -> Result<u64, LedgerError> {
    let answer = answers.message().await;
    let answer = answer.map_err(|status| failure::asking(&status))?;
    match answer.and_then(|answer| answer.r#type) {
        Some(Type::FilteredBlock(block)) => Ok(block.number + 1),
        Some(Type::Status(status)) => Err(ended(status)),
        _ => Err(LedgerError::internal("an answer that was not asked for")),
    }
}

/// A status in place of a block ends the request.
fn ended(status: i32) -> LedgerError {
    let name = common::Status::try_from(status).map_or("UNKNOWN", |status| status.as_str_name());
    let message = format!("the peer gives no blocks: {name}");
    match common::Status::try_from(status) {
        Ok(common::Status::ServiceUnavailable) => LedgerError::Unavailable { message },
        _ => LedgerError::Internal { message },
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn requests_end_with_whoever_asked() {
        let (mut requests, asking) = requests(Envelope::default());
        assert_eq!(requests.next().await, Some(Envelope::default()));
        assert_eq!(requests.next().now_or_never(), None);
        drop(asking);
        assert_eq!(requests.next().await, None);
    }
}
