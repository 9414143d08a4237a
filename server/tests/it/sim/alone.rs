//! The ledger, which refuses to be asked while a transaction is open. The database has
//! one connection and the scheduler steps one actor at a time, so a connection that is
//! not free belongs to whoever asks.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use gx_fabric::{BlockStream, CommitStatus, Endorsed, Ledger, LedgerError};
use gx_proto::gx::contract::v1::{Batch, Query, QueryResult};
use gx_server::store::Store;

/// How long the connection of a transaction that has just ended may take to be free.
const FREE: Duration = Duration::from_secs(5);

/// A ledger beside a database.
pub(super) struct Alone {
    pub(super) ledger: Arc<dyn Ledger>,
    pub(super) store: Store,
}

impl Alone {
    async fn check(&self) {
        // Most often it is free; then nothing has to be begun to see that.
        let pool = self.store.read().get_sqlite_connection_pool();
        if pool.num_idle() == 1 {
            return;
        }
        let begun = tokio::time::timeout(FREE, self.store.begin()).await;
        let begun = begun.expect("a transaction is open while the ledger is asked");
        let ended = begun.expect("a transaction").rollback().await;
        ended.expect("nothing happened");
    }
}

#[async_trait]
impl Ledger for Alone {
    fn msp_id(&self) -> &str {
        self.ledger.msp_id()
    }

    async fn endorse(&self, batch: &Batch) -> Result<Endorsed, LedgerError> {
        self.check().await;
        self.ledger.endorse(batch).await
    }

    async fn submit(&self, envelope: &Bytes) -> Result<(), LedgerError> {
        self.check().await;
        self.ledger.submit(envelope).await
    }

    async fn commit_status(
        &self,
        tx_id: &str,
        timeout: Duration,
    ) -> Result<CommitStatus, LedgerError> {
        self.check().await;
        self.ledger.commit_status(tx_id, timeout).await
    }

    async fn query(&self, query: &Query) -> Result<QueryResult, LedgerError> {
        self.check().await;
        self.ledger.query(query).await
    }

    async fn height(&self) -> Result<u64, LedgerError> {
        self.check().await;
        self.ledger.height().await
    }

    /// The scheduler's own: no actor opens the stream while it steps.
    async fn blocks(&self, from: u64) -> Result<BlockStream, LedgerError> {
        self.ledger.blocks(from).await
    }
}

/// The check finds what it looks for.
#[tokio::test]
#[should_panic = "a transaction is open while the ledger is asked"]
async fn a_transaction_across_a_call_of_the_ledger_is_found() {
    use super::world::{Template, World};

    let world = World::new(&Template::new().await, 0).await;
    let open = world.store.begin().await;
    let open = open.expect("a transaction");
    let _ = world.ledger.height().await;
    drop(open);
}
