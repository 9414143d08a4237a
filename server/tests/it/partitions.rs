//! The lanes are dealt to other numbers of partitions while people pay and read: every
//! answer is right at every moment, and no process is started anew.

use std::time::Duration;

use gx_proto::gx::ledger::v1::GetLedgerRequest;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::harness::{Database, GX, Gx, PATIENCE, Person, block_of};

/// What is dealt to, one after the other; a start has two.
const DEALS: [usize; 4] = [4, 1, 3, 2];
/// Payments between one dealing and the next.
const PAYMENTS: u64 = 5;
/// How often something is looked at again.
const POLL: Duration = Duration::from_millis(20);

#[tokio::test]
async fn every_answer_is_right_while_partitions_are_dealt_anew_on_sqlite() {
    dealt(Database::Sqlite).await;
}

#[tokio::test]
async fn every_answer_is_right_while_partitions_are_dealt_anew_on_postgres() {
    dealt(Database::Postgres).await;
}

#[tokio::test]
async fn every_answer_is_right_while_partitions_are_dealt_anew_on_six_processes() {
    dealt(Database::PostgresApart).await;
}

async fn dealt(database: Database) {
    let mut gx = Gx::start(database).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let end = CancellationToken::new();
    let (paid, supplies, ()) = tokio::join!(
        pay(&ann, &bee, &end),
        look(&gx, &end),
        deal(&gx, &ann, &end),
    );
    assert!(paid >= PAYMENTS * DEALS.len() as u64, "{paid}");
    assert!(supplies > DEALS.len(), "{supplies}");
    sound(&gx).await;

    // The settings have another number, which counts for the first start alone.
    set(&gx, 3).await;
    gx.stop().await;
    gx.restart().await;
    sound(&gx).await;
    let (sound, told) = gx.tool(&["partitions", "set", "3"]).await;
    assert!(sound && told.contains("as before"), "{told}");
    let (ann, bee) = (ann.on(&gx), bee.on(&gx));
    ann.pay(ann.to(&bee.account, 1, GX)).await;
}

/// Deals again and again, with payments in between.
async fn deal(gx: &Gx, ann: &Person, end: &CancellationToken) {
    for partitions in DEALS {
        let left = ann.wallet(0).await.balance_qirat;
        set(gx, partitions).await;
        let ledger = ann.client.ledger().get_ledger(GetLedgerRequest {}).await;
        assert_eq!(ledger.unwrap().into_inner().partitions.len(), partitions);
        let paid = async {
            while ann.wallet(0).await.balance_qirat + PAYMENTS > left {
                sleep(POLL).await;
            }
        };
        timeout(PATIENCE, paid).await.expect("payments go on");
    }
    end.cancel();
}

async fn set(gx: &Gx, partitions: usize) {
    let (done, told) = gx
        .tool(&["partitions", "set", &partitions.to_string()])
        .await;
    assert!(
        done && told.contains(&format!("has {partitions} partitions")),
        "{told}"
    );
}

/// Pays a Qirat at a time, and sees each payment at once on both sides; how many.
pub(crate) async fn pay(ann: &Person, bee: &Person, end: &CancellationToken) -> u64 {
    let (left, got) = (ann.wallet(0).await, bee.wallet(0).await);
    let mut paid = 0;
    while !end.is_cancelled() {
        let block = block_of(&ann.pay(ann.to(&bee.account, 1, GX)).await);
        paid += 1;
        let (ann, bee) = (ann.wallet(block).await, bee.wallet(block).await);
        // So little pays no fee.
        assert_eq!(ann.balance_qirat, left.balance_qirat - paid);
        assert_eq!(bee.balance_qirat, got.balance_qirat + paid);
    }
    paid
}

/// Reads the supply, whose parts sum at every moment to all that there is; how often.
async fn look(gx: &Gx, end: &CancellationToken) -> usize {
    let mut times = 0;
    while !end.is_cancelled() {
        let supply = gx.supply(0).await;
        let sum = supply.pools_qirat + supply.treasuries_qirat + supply.circulating_qirat;
        assert_eq!(sum, supply.maximum_qirat);
        times += 1;
        sleep(POLL).await;
    }
    times
}

/// The read model is the chain's, and follows it.
async fn sound(gx: &Gx) {
    for tool in [&["reconcile"][..], &["projector", "status"]] {
        let (sound, told) = gx.tool(tool).await;
        assert!(sound, "{tool:?}: {told}");
    }
}
