//! Batches of transfers: many share a commit, each has one effect and its own
//! outcome, and single callers have their turn beside them.

use std::collections::BTreeSet;

use futures::future::join_all;
use gx_proto::gx::{
    operation::v1::{Operation, OperationState},
    wallet::v1::{BatchedTransfer, batched_transfer_result::Result as Told},
};

use crate::harness::{
    Database, GX, Gx, Person, Refusal, Shared, batched, block_of, operation_of, reason_in,
    reason_of, unopened_account,
};

static SQLITE: Shared = Shared::on(Database::Sqlite);
static POSTGRES: Shared = Shared::on(Database::Postgres);

/// What the intake did so far: commits, commands.
async fn done(gx: &Gx) -> (f64, f64) {
    let commits = gx.metric("gx_intake_commits_total").await;
    (commits, gx.metric("gx_intake_commands_total").await)
}

fn operations(results: Vec<Told>) -> Vec<Operation> {
    results.into_iter().map(operation_of).collect()
}

/// Waits for the last of them, which the lane carries behind the others, and answers
/// its block.
async fn succeeded(person: &Person, sent: &[Operation]) -> u64 {
    let last = sent.last().expect("an operation");
    let settled = person.client.settled(&last.name).await;
    assert_eq!(settled.state(), OperationState::Succeeded, "{settled:?}");
    block_of(&settled)
}

#[tokio::test]
async fn five_hundred_transfers_take_few_commits_and_one_effect_each_on_sqlite() {
    five_hundred_transfers_take_few_commits_and_one_effect_each(Database::Sqlite).await;
}

#[tokio::test]
async fn five_hundred_transfers_take_few_commits_and_one_effect_each_on_postgres() {
    five_hundred_transfers_take_few_commits_and_one_effect_each(Database::Postgres).await;
}

async fn five_hundred_transfers_take_few_commits_and_one_effect_each(database: Database) {
    let gx = Gx::start(database).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let grant = ann.wallet(0).await.balance_qirat;
    let transfers: Vec<_> = (0..500).map(|_| batched(&bee.account, 1_000, 0)).collect();

    let (commits, commands) = done(&gx).await;
    let sent = operations(ann.batch(transfers.clone()).await.unwrap());
    let (after, all) = done(&gx).await;
    assert_eq!(all - commands, 500.0);
    assert!(after - commits <= 3.0, "{} commits", after - commits);
    let ids = sent.iter().map(|one| &one.request_id);
    assert!(
        ids.eq(transfers.iter().map(|one| &one.request_id)),
        "in order"
    );
    let names: BTreeSet<_> = sent.iter().map(|one| &one.name).collect();
    assert_eq!(names.len(), 500, "an operation each");

    let block = succeeded(&ann, &sent).await;
    let paid = 500 * 1_000;
    let wallet = ann.wallet(block).await;
    assert_eq!(
        (wallet.balance_qirat, wallet.reserved_qirat),
        (grant - paid, 0)
    );
    assert_eq!(bee.wallet(block).await.balance_qirat, grant + paid);

    let again = operations(ann.batch(transfers).await.unwrap());
    let names = again.iter().map(|one| &one.name);
    assert!(names.eq(sent.iter().map(|one| &one.name)), "the same ones");
    assert!(
        again
            .iter()
            .all(|one| one.state() == OperationState::Succeeded)
    );
    assert_eq!(ann.wallet(0).await.balance_qirat, grant - paid);
}

#[tokio::test]
async fn no_more_of_a_batch_is_accepted_than_the_wallet_holds_on_sqlite() {
    no_more_of_a_batch_is_accepted_than_the_wallet_holds(&SQLITE).await;
}

#[tokio::test]
async fn no_more_of_a_batch_is_accepted_than_the_wallet_holds_on_postgres() {
    no_more_of_a_batch_is_accepted_than_the_wallet_holds(&POSTGRES).await;
}

async fn no_more_of_a_batch_is_accepted_than_the_wallet_holds(gx: &Shared) {
    /// What is held is what is charged, so settling gives nothing back meanwhile.
    const FEE: u64 = 1_500;
    const AMOUNT: u64 = 3 * GX;
    let gx = gx.gx().await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let available = ann.wallet(0).await.available_qirat;
    let fit = usize::try_from(available / (AMOUNT + FEE)).unwrap();
    assert_eq!(fit, 166);

    let transfers = (0..500).map(|_| batched(&bee.account, AMOUNT, FEE));
    let sent = operations(ann.batch(transfers.collect()).await.unwrap());
    let (accepted, refused) = sent.split_at(fit);
    let told = refused.iter().map(reason_of);
    assert_eq!(
        told.collect::<BTreeSet<_>>(),
        ["INSUFFICIENT_FUNDS".to_owned()].into()
    );
    let block = succeeded(&ann, accepted).await;
    let wallet = ann.wallet(block).await;
    let spent = fit as u64 * (AMOUNT + FEE);
    assert_eq!(
        (wallet.balance_qirat, wallet.reserved_qirat),
        (available - spent, 0)
    );
}

#[tokio::test]
async fn each_of_a_batch_has_its_own_outcome_in_order_on_sqlite() {
    each_of_a_batch_has_its_own_outcome_in_order(&SQLITE).await;
}

#[tokio::test]
async fn each_of_a_batch_has_its_own_outcome_in_order_on_postgres() {
    each_of_a_batch_has_its_own_outcome_in_order(&POSTGRES).await;
}

async fn each_of_a_batch_has_its_own_outcome_in_order(gx: &Shared) {
    let gx = gx.gx().await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let available = ann.wallet(0).await.available_qirat;
    let known = batched(&bee.account, GX, 0);
    let first = operations(ann.batch(vec![known.clone()]).await.unwrap());
    succeeded(&ann, &first).await;

    let reused = BatchedTransfer {
        amount_qirat: 2 * GX,
        ..known.clone()
    };
    let rows = [
        (batched(&unopened_account(1), GX, 0), "UNKNOWN_RECEIVER"),
        (batched(&bee.account, available, 0), "INSUFFICIENT_FUNDS"),
        (batched(&bee.account, GX, 0), ""),
        (batched(&ann.account, GX, 0), "SELF_TRANSFER"),
        (reused, "REQUEST_ID_REUSED"),
        (batched(&bee.account, 10 * GX, 4_999), "FEE_CHANGED"),
        (batched("TREASURY_DE", GX, 0), "RECEIVER_NOT_ACTIVE"),
        (batched(&bee.account, GX, 0), ""),
    ];
    let (transfers, expected): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let mut told = Vec::new();
    for result in ann.batch(transfers).await.unwrap() {
        told.push(match result {
            Told::Operation(operation) => reason_of(&ann.client.settled(&operation.name).await),
            Told::Error(status) => reason_in(&status),
        });
    }
    assert_eq!(told, expected);
    let supply = gx.supply(0).await;
    let wallet = ann.wallet(supply.as_of_block).await;
    assert_eq!(
        (wallet.balance_qirat, wallet.reserved_qirat),
        (available - 3 * GX, 0)
    );
}

#[tokio::test]
async fn single_callers_have_their_turn_beside_batches_on_sqlite() {
    single_callers_have_their_turn_beside_batches(Database::Sqlite).await;
}

#[tokio::test]
async fn single_callers_have_their_turn_beside_batches_on_postgres() {
    single_callers_have_their_turn_beside_batches(Database::Postgres).await;
}

/// However full the line of batches is, no single call is turned away.
async fn single_callers_have_their_turn_beside_batches(database: Database) {
    let settings = [
        ("GX_INTAKE__BATCH_WAITING", "500"),
        ("GX_INTAKE__FOLD", "16"),
    ];
    let gx = Gx::start_with(database, &settings).await;
    let (ann, bee, cid) = (
        gx.person("DE").await,
        gx.person("DE").await,
        gx.person("DE").await,
    );
    let batch = || {
        (0..500)
            .map(|_| batched(&cid.account, 1, 0))
            .collect::<Vec<_>>()
    };
    let batches = [batch(), batch(), batch(), batch()].map(|transfers| ann.batch(transfers));
    let singles = (0..100).map(|_| bee.sent(bee.to(&cid.account, 1, 0)));
    let (batches, singles) = tokio::join!(join_all(batches), join_all(singles));
    for single in &singles {
        let settled = bee.client.settled(&single.name).await;
        assert_eq!(settled.state(), OperationState::Succeeded);
    }
    let mut taken = 0;
    for answer in batches {
        match answer {
            Ok(results) => {
                taken += 1;
                succeeded(&ann, &operations(results)).await;
            }
            Err(refused) => {
                let refused = Refusal::of(&refused);
                assert_eq!(refused.reason, "OVERLOADED");
                assert!(refused.retry_ms.is_some());
            }
        }
    }
    assert!(taken > 0, "no batch was taken");
}
