//! What people do with their wallets.

use gx_proto::gx::{
    operation::v1::Operation,
    tokenomics::v1::{GetSupplyRequest, GetSupplyResponse},
    wallet::v1::{
        BatchTransferRequest, BatchedTransfer, Entry, GetWalletRequest, ListEntriesRequest,
        TransferRequest, TransferResponse, Wallet, batched_transfer_result,
    },
};
use gx_server::id::random_uuid;
use tonic::{Response, Status};

use super::{Gx, Person};

/// One GX in Qirat.
pub(crate) const GX: u64 = 1_000_000;

impl Person {
    /// The same person on the processes that run now.
    pub(crate) fn on(&self, gx: &Gx) -> Self {
        Self {
            client: self.client.over(&gx.client()),
            ..self.clone()
        }
    }

    /// The wallet, at this block or later.
    pub(crate) async fn wallet(&self, min_block: u64) -> Wallet {
        let request = GetWalletRequest {
            account: self.account.clone(),
            min_block,
        };
        let answer = self.client.wallet().get_wallet(request).await;
        answer.expect("read").into_inner().wallet.expect("a wallet")
    }

    /// The newest entries.
    pub(crate) async fn entries(&self) -> Vec<Entry> {
        let request = ListEntriesRequest {
            account: self.account.clone(),
            ..ListEntriesRequest::default()
        };
        let answer = self.client.wallet().list_entries(request).await;
        answer.expect("read").into_inner().entries
    }

    /// A transfer that was not sent before.
    pub(crate) fn to(&self, receiver: &str, amount_qirat: u64, max_fee: u64) -> TransferRequest {
        TransferRequest {
            account: self.account.clone(),
            request_id: random_uuid().to_string(),
            receiver: receiver.to_owned(),
            amount_qirat,
            max_fee_qirat: max_fee,
            reference: String::new(),
        }
    }

    /// Sends a transfer.
    pub(crate) async fn send(
        &self,
        transfer: TransferRequest,
    ) -> Result<Response<TransferResponse>, Status> {
        self.client.wallet().transfer(transfer).await
    }

    /// Sends a transfer and answers its operation as it is told at once.
    pub(crate) async fn sent(&self, transfer: TransferRequest) -> Operation {
        let answer = self.send(transfer).await.expect("taken").into_inner();
        answer.operation.expect("an operation")
    }

    /// Sends transfers in one call and answers what became of each.
    pub(crate) async fn batch(
        &self,
        transfers: Vec<BatchedTransfer>,
    ) -> Result<Vec<batched_transfer_result::Result>, Status> {
        let batch = BatchTransferRequest {
            account: self.account.clone(),
            transfers,
        };
        let answer = self.client.wallet().batch_transfer(batch).await?;
        let results = answer.into_inner().results.into_iter();
        Ok(results.map(|one| one.result.expect("a result")).collect())
    }

    /// Sends a transfer and waits for its outcome.
    pub(crate) async fn pay(&self, transfer: TransferRequest) -> Operation {
        let operation = self.sent(transfer).await;
        self.client.settled(&operation.name).await
    }
}

impl Gx {
    /// The supply, at this block or later.
    pub(crate) async fn supply(&self, min_block: u64) -> GetSupplyResponse {
        let request = GetSupplyRequest { min_block };
        let answer = self.client().tokenomics().get_supply(request).await;
        answer.expect("read").into_inner()
    }
}

/// A transfer that was not sent before, for a batch.
pub(crate) fn batched(receiver: &str, amount_qirat: u64, max_fee_qirat: u64) -> BatchedTransfer {
    BatchedTransfer {
        request_id: random_uuid().to_string(),
        receiver: receiver.to_owned(),
        amount_qirat,
        max_fee_qirat,
        reference: String::new(),
    }
}

/// The operation of one of a batch.
pub(crate) fn operation_of(result: batched_transfer_result::Result) -> Operation {
    match result {
        batched_transfer_result::Result::Operation(operation) => operation,
        batched_transfer_result::Result::Error(status) => panic!("not taken: {status:?}"),
    }
}

/// The name of the transaction of a settled operation.
pub(crate) fn transaction_of(operation: &Operation) -> String {
    let metadata = operation.metadata.as_ref().expect("metadata");
    format!("transactions/{}", metadata.fabric_tx_id)
}

/// The block of a settled operation.
pub(crate) fn block_of(operation: &Operation) -> u64 {
    operation.metadata.as_ref().expect("metadata").block
}
