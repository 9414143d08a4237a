//! A ledger whose events turn to garbage on their way, or that tells no transaction's
//! status, until told otherwise.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use gx_fabric::{Block, BlockStream, CommitStatus, Endorsed, Ledger, LedgerError};
use gx_proto::gx::contract::v1::{Batch, Query, QueryResult};

/// No field of a message begins like this.
const GARBAGE: &[u8] = &[0xff; 16];

/// The ledger within, what it does to events, and whether it tells no status.
pub(super) struct Garbling {
    ledger: Arc<dyn Ledger>,
    on: Arc<AtomicBool>,
    mute: AtomicBool,
}

impl Garbling {
    pub(super) fn new(ledger: Arc<dyn Ledger>) -> Self {
        Self {
            ledger,
            on: Arc::default(),
            mute: AtomicBool::default(),
        }
    }

    /// Whether blocks that are read from now on have garbage for events.
    pub(super) fn garble(&self, on: bool) {
        self.on.store(on, Ordering::SeqCst);
    }

    /// Whether nobody can be asked for a transaction's status.
    pub(super) fn mute(&self, mute: bool) {
        self.mute.store(mute, Ordering::SeqCst);
    }
}

fn garbled(mut block: Block) -> Block {
    for transaction in &mut block.transactions {
        if let Some(event) = &mut transaction.event {
            *event = Bytes::from_static(GARBAGE);
        }
    }
    block
}

#[async_trait]
impl Ledger for Garbling {
    fn msp_id(&self) -> &str {
        self.ledger.msp_id()
    }

    async fn endorse(&self, batch: &Batch) -> Result<Endorsed, LedgerError> {
        self.ledger.endorse(batch).await
    }

    async fn submit(&self, envelope: &Bytes) -> Result<(), LedgerError> {
        self.ledger.submit(envelope).await
    }

    async fn commit_status(
        &self,
        tx_id: &str,
        timeout: Duration,
    ) -> Result<CommitStatus, LedgerError> {
        if self.mute.load(Ordering::SeqCst) {
            let message = "nobody tells".to_owned();
            return Err(LedgerError::Unavailable { message });
        }
        self.ledger.commit_status(tx_id, timeout).await
    }

    async fn query(&self, query: &Query) -> Result<QueryResult, LedgerError> {
        self.ledger.query(query).await
    }

    async fn height(&self) -> Result<u64, LedgerError> {
        self.ledger.height().await
    }

    async fn blocks(&self, from: u64) -> Result<BlockStream, LedgerError> {
        let on = self.on.clone();
        let blocks = self.ledger.blocks(from).await?;
        let passed = blocks.map(move |block| match on.load(Ordering::SeqCst) {
            true => block.map(garbled),
            false => block,
        });
        Ok(passed.boxed())
    }
}
