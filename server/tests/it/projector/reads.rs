//! What the world shows, to an auditor over gRPC and in the database.

use gx_proto::gx::{
    ledger::v1::{GetLedgerRequest, GetLedgerResponse},
    operation::v1::{GetOperationRequest, Operation},
    tokenomics::v1::{GetSupplyRequest, GetSupplyResponse},
    wallet::v1::{GetWalletRequest, Wallet},
};
use gx_server::checkpoint;

use super::world::World;

impl World {
    /// The last block that each partition has applied.
    pub(super) async fn checkpoints(&self) -> [u64; 2] {
        let rows = checkpoint::all(self.app.store.read()).await.expect("rows");
        let block = |number: usize| u64::try_from(rows[number].block).expect("a block");
        [block(0), block(1)]
    }

    pub(super) async fn wallet(&self, account: &str) -> (Wallet, u64) {
        let request = GetWalletRequest {
            account: account.to_owned(),
            min_block: 0,
        };
        let answer = self.client.wallet().get_wallet(request).await;
        let answer = answer.expect("read").into_inner();
        (answer.wallet.expect("a wallet"), answer.as_of_block)
    }

    pub(super) async fn supply(&self) -> GetSupplyResponse {
        let request = GetSupplyRequest::default();
        let answer = self.client.tokenomics().get_supply(request).await;
        answer.expect("read").into_inner()
    }

    pub(super) async fn ledger_state(&self) -> GetLedgerResponse {
        let answer = self.client.ledger().get_ledger(GetLedgerRequest {}).await;
        answer.expect("read").into_inner()
    }

    pub(super) async fn operation(&self, name: &str) -> Operation {
        let name = name.to_owned();
        let request = GetOperationRequest { name };
        let answer = self.client.operation().get_operation(request).await;
        answer
            .expect("read")
            .into_inner()
            .operation
            .expect("an operation")
    }
}
