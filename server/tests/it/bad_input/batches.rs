//! Batches that are refused whole.

use gx_proto::gx::wallet::v1::{BatchTransferRequest, BatchedTransfer};
use tonic::Code;

use super::{Case, World};
use crate::harness::{batched, unopened_account};

pub(super) fn cases(world: &World) -> Vec<Case> {
    let good = BatchTransferRequest {
        account: world.ann.account.clone(),
        transfers: (0..4).map(|_| batched(&world.bee.account, 1, 0)).collect(),
    };
    let send = |change: &dyn Fn(&mut BatchTransferRequest)| {
        let mut request = good.clone();
        change(&mut request);
        let mut wallet = world.ann.client.wallet();
        async move { wallet.batch_transfer(request).await }
    };
    vec![
        Case::fields(
            "an empty batch",
            &["transfers"],
            send(&|b| b.transfers.clear()),
        ),
        Case::fields(
            "501 transfers",
            &["transfers"],
            send(&|b| b.transfers = vec![b.transfers[0].clone(); 501]),
        ),
        Case::fields(
            "a batch from nobody",
            &["account", "transfers"],
            send(&|b| *b = BatchTransferRequest::default()),
        ),
        Case::fields(
            "one without amount among good ones",
            &["transfers[3].amount_qirat"],
            send(&|b| b.transfers[3].amount_qirat = 0),
        ),
        Case::fields(
            "one request_id for two transfers",
            &["transfers[2].request_id"],
            send(&|b| {
                b.transfers[2] = BatchedTransfer {
                    amount_qirat: 2,
                    ..b.transfers[0].clone()
                };
            }),
        ),
        Case::fields(
            "much is wrong",
            &[
                "account",
                "transfers[0].request_id",
                "transfers[0].receiver",
                "transfers[0].amount_qirat",
                "transfers[2].max_fee_qirat",
                "transfers[2].reference",
            ],
            send(&|b| {
                b.account = "SYSTEM_LOAN_POOL".to_owned();
                b.transfers[0] = BatchedTransfer::default();
                b.transfers[2].max_fee_qirat = u64::MAX;
                b.transfers[2].reference = "two\nlines".to_owned();
            }),
        ),
        Case::new(
            "a batch from an unknown sender",
            (Code::NotFound, "NOT_FOUND"),
            send(&|b| b.account = unopened_account(1)),
        ),
    ]
}
