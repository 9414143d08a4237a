//! The chain, to look at and to follow.

pub use crate::proto::gx::ledger::v1::*;
use crate::{
    QiratDelta, Results,
    call::Caller,
    operation::OperationType,
    pages::{items, paged},
    resume::{Follow, follow},
    service::{ANSWER_BYTES, methods},
};

/// The ledger, as far as whoever is signed in may see it.
#[derive(Debug, Clone)]
pub struct Ledger(pub(crate) Caller);

methods! { Ledger: ledger_service_client::LedgerServiceClient =>
    read get_ledger(GetLedgerRequest) -> GetLedgerResponse;
    read get_block(GetBlockRequest) -> GetBlockResponse;
    read list_blocks(ListBlocksRequest) -> ListBlocksResponse;
    read get_transaction(GetTransactionRequest) -> GetTransactionResponse;
}

paged! {
    ListBlocksRequest => ListBlocksResponse.blocks: Block;
}

impl Ledger {
    /// Blocks without their transactions, newest first.
    pub fn blocks(&self) -> Results<Block> {
        items(
            self,
            ListBlocksRequest::default(),
            |ledger: Self, request| async move { ledger.list_blocks(request).await },
        )
    }

    /// Whole blocks in their order from a number on, also those to come, each once,
    /// whatever becomes of the connection. With a filter, blocks without a command that
    /// fits it are passed over.
    pub fn follow(&self, from_block: u64, filter: BlockFilter) -> Results<Block> {
        let following = Blocks {
            next: from_block,
            filter,
            gathered: None,
        };
        follow(self.0.clone(), following, |channel, request| async move {
            ledger_service_client::LedgerServiceClient::new(channel)
                .max_decoding_message_size(ANSWER_BYTES)
                .stream_blocks(request)
                .await
        })
    }
}

/// Which commands of blocks to send; by default all.
#[derive(Debug, Clone, Default)]
pub struct BlockFilter {
    /// Those that move coins of this account; empty means of all.
    pub account: String,
    /// Those of these kinds; none means of all.
    pub types: Vec<OperationType>,
}

/// Puts blocks together that come in parts.
struct Blocks {
    next: u64,
    filter: BlockFilter,
    gathered: Option<Block>,
}

impl Follow for Blocks {
    type Request = StreamBlocksRequest;
    type Answer = StreamBlocksResponse;
    type Item = Block;

    fn request(&mut self) -> StreamBlocksRequest {
        self.gathered = None;
        StreamBlocksRequest {
            from_block: self.next,
            account: self.filter.account.clone(),
            types: self.filter.types.iter().copied().map(Into::into).collect(),
        }
    }

    fn read(&mut self, answer: StreamBlocksResponse) -> Option<Block> {
        if let Some(part) = answer.block {
            self.gather(part);
        }
        self.next = answer.next_block;
        // Until its last part has come, it would be sent from its beginning again.
        self.gathered.take_if(|block| block.number < self.next)
    }
}

impl Blocks {
    fn gather(&mut self, part: Block) {
        match &mut self.gathered {
            Some(block) if block.number == part.number => {
                block.transactions.extend(part.transactions);
            }
            begun => *begun = Some(part),
        }
    }
}

impl Posting {
    /// The change of the balance.
    pub fn delta(&self) -> QiratDelta {
        QiratDelta::new(self.delta_qirat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: u64, transaction: &str, next_block: u64) -> StreamBlocksResponse {
        let transaction = Transaction {
            name: transaction.to_owned(),
            ..Transaction::default()
        };
        let block = Block {
            number,
            transactions: vec![transaction],
            ..Block::default()
        };
        StreamBlocksResponse {
            block: Some(block),
            next_block,
        }
    }

    #[test]
    fn a_block_in_parts_comes_whole_also_behind_blocks_that_were_passed_over() {
        let mut blocks = Blocks {
            next: 5,
            filter: BlockFilter::default(),
            gathered: None,
        };
        assert_eq!(blocks.read(part(100, "a", 100)), None);
        assert_eq!(blocks.request().from_block, 100);
        assert_eq!(blocks.read(part(100, "a", 100)), None);
        let whole = blocks.read(part(100, "b", 101)).expect("a block");
        let names: Vec<_> = whole.transactions.iter().map(|one| &*one.name).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(blocks.request().from_block, 101);
    }
}
