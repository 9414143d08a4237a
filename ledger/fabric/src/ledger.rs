//! The one trait through which the system sees the chain, and its words.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use gx_proto::gx::contract::v1::{Batch, Query, QueryResult};

use crate::{LedgerError, ValidationFlag};

/// The name of the one event that a batch emits.
pub const BATCH_EVENT: &str = "gx.batch.v1";

/// The chain: endorse, submit, learn the outcome, stream blocks, ask.
///
/// No method tries anything again by itself: what may be repeated is the caller's
/// knowledge. Dropping a call's future forgets the answer, not what was asked.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// The MSP under which batches are submitted; part of every lane's key.
    fn msp_id(&self) -> &str;

    /// Has a batch endorsed under the identity of its lane's domain. Nothing is
    /// ordered and nothing changes: an envelope that is never submitted never was.
    async fn endorse(&self, batch: &Batch) -> Result<Endorsed, LedgerError>;

    /// Hands an envelope to the orderer. `Ok` means ordered, not committed. Sending
    /// the same envelope again is harmless: the first copy in the chain keeps its
    /// flag, later ones are [`ValidationFlag::DUPLICATE_TXID`].
    async fn submit(&self, envelope: &Bytes) -> Result<(), LedgerError>;

    /// Waits until the transaction stands in a block, whatever its flag. For one
    /// that never was ordered that is for ever, hence the timeout, which says
    /// nothing about the transaction; a timeout of zero asks without waiting.
    async fn commit_status(
        &self,
        tx_id: &str,
        timeout: Duration,
    ) -> Result<CommitStatus, LedgerError>;

    /// Answers a question from one simulation on one peer, which may be behind.
    async fn query(&self, query: &Query) -> Result<QueryResult, LedgerError>;

    /// The number of blocks of the peer that has most; the last one's number is one
    /// less.
    async fn height(&self) -> Result<u64, LedgerError>;

    /// Streams all blocks from `from` on, in order and without a gap, also those to
    /// come; the next one that does not exist yet is waited for, and one beyond it may be
    /// an error, since a peer may be behind. The stream ends only after an error, and may
    /// be opened again at any number.
    async fn blocks(&self, from: u64) -> Result<BlockStream, LedgerError>;
}

/// Blocks in order, then at most one error.
pub type BlockStream = BoxStream<'static, Result<Block, LedgerError>>;

/// A batch that the endorsers agree on, ready to be submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endorsed {
    /// The Fabric transaction's id, 64 hexadecimal digits.
    pub tx_id: String,
    /// The signed `common.Envelope`; kept and sent as these bytes, never re-encoded.
    pub envelope: Bytes,
}

/// Where a transaction stands in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitStatus {
    /// What the peers made of it.
    pub flag: ValidationFlag,
    /// The number of its block.
    pub block: u64,
}

/// A block, as far as read models need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its place in the chain, from 0. Block 0 configures the channel.
    pub number: u64,
    /// SHA-256 of its header.
    pub hash: [u8; 32],
    /// The hash of the block before; zeros in block 0.
    pub previous_hash: [u8; 32],
    /// The hash of its envelopes, as its header tells it.
    pub data_hash: Bytes,
    /// The time of its last transaction or configuration in milliseconds since the
    /// Unix epoch: the submitter's word, so it may go back between blocks.
    pub time_ms: i64,
    /// Its endorsed transactions in order, the invalid ones too; configurations are
    /// left out.
    pub transactions: Vec<Transaction>,
}

/// A transaction in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The Fabric transaction's id; empty where an invalid one cannot be decoded.
    pub tx_id: String,
    /// Its place in the block, from 0.
    pub index: u32,
    /// What the peers made of it.
    pub flag: ValidationFlag,
    /// The encoded `gx.contract.v1.BatchCommitted`. Only a valid transaction of the
    /// contract has one: what an invalid one claims never happened.
    pub event: Option<Bytes>,
}
