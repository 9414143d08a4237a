//! The server's trait over a core in the same process.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use gx_proto::gx::contract::v1::{Batch, Query, QueryResult};
use prost::Message;

use super::{
    core::Core,
    options::{Clock, MSP_ID, Nonces, system_clock, system_nonces},
};
use crate::{
    BlockStream, CommitStatus, Endorsed, Identity, Ledger, LedgerError, block,
    contract::{FUNCTION_BATCH, FUNCTION_QUERY},
    proposal::Draft,
};

/// A client of a devnet in the same process. It commits nothing: blocks are cut by a
/// [`Driver`](super::Driver), or by whoever steps the core. The contract runs on the
/// caller's thread, within the call: no call but a wait for blocks ever yields.
#[derive(Clone)]
pub struct InProcessLedger {
    core: Arc<Core>,
    msp_id: String,
    clock: Clock,
    nonces: Nonces,
}

impl InProcessLedger {
    /// A client of the default organization with the system's clock and nonces.
    pub fn new(core: Arc<Core>) -> Self {
        Self::with_sources(core, MSP_ID, system_clock(), system_nonces())
    }

    /// A client with a clock and nonces of its own. Nonces must differ between all
    /// clients of an organization.
    pub fn with_sources(
        core: Arc<Core>,
        msp_id: impl Into<String>,
        clock: Clock,
        nonces: Nonces,
    ) -> Self {
        Self {
            core,
            msp_id: msp_id.into(),
            clock,
            nonces,
        }
    }

    /// The core below.
    pub fn core(&self) -> &Arc<Core> {
        &self.core
    }

    fn propose(&self, identity: &Identity, function: &str, argument: Vec<u8>) -> (String, Bytes) {
        let options = self.core.options();
        let draft = Draft {
            channel: &options.channel,
            chaincode: &options.chaincode,
            function,
            argument: argument.into(),
            creator: identity.to_creator(),
            nonce: (self.nonces)(),
            timestamp_ms: (self.clock)(),
        };
        draft.encode()
    }
}

#[async_trait]
impl Ledger for InProcessLedger {
    fn msp_id(&self) -> &str {
        &self.msp_id
    }

    async fn endorse(&self, batch: &Batch) -> Result<Endorsed, LedgerError> {
        let domain = batch
            .lane
            .as_ref()
            .map(|lane| lane.domain())
            .unwrap_or_default();
        let identity = Identity::of_domain(&self.msp_id, domain)
            .ok_or_else(|| LedgerError::internal("the batch names no lane"))?;
        let (tx_id, proposal) = self.propose(&identity, FUNCTION_BATCH, batch.encode_to_vec());
        Ok(Endorsed {
            tx_id,
            envelope: self.core.endorse(&proposal)?,
        })
    }

    async fn submit(&self, envelope: &Bytes) -> Result<(), LedgerError> {
        self.core.submit(envelope)
    }

    async fn commit_status(
        &self,
        tx_id: &str,
        timeout: Duration,
    ) -> Result<CommitStatus, LedgerError> {
        let committed = self.core.committed(tx_id);
        if timeout.is_zero() {
            return committed
                .now_or_never()
                .unwrap_or(Err(LedgerError::Timeout));
        }
        let committed = tokio::time::timeout(timeout, committed).await;
        committed.map_err(|_| LedgerError::Timeout)?
    }

    async fn query(&self, query: &Query) -> Result<QueryResult, LedgerError> {
        let anybody = Identity {
            msp_id: self.msp_id.clone(),
            role: None,
        };
        let (_, proposal) = self.propose(&anybody, FUNCTION_QUERY, query.encode_to_vec());
        let answer = self.core.evaluate(&proposal)?;
        QueryResult::decode(answer).map_err(LedgerError::internal)
    }

    async fn height(&self) -> Result<u64, LedgerError> {
        Ok(self.core.height())
    }

    async fn blocks(&self, from: u64) -> Result<BlockStream, LedgerError> {
        let chaincode = self.core.options().chaincode.clone();
        let blocks = self.core.clone().deliver(from);
        Ok(blocks
            .map(move |block| block::read(&block?, &chaincode))
            .boxed())
    }
}
