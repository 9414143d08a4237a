//! The read model is made once more from block 0 while people pay and read: what was
//! changed by hand is mended, every answer about others is right at every moment, and
//! what was accepted has one effect. An end in the middle changes nothing.

use std::time::Duration;

use gx_proto::gx::operation::v1::OperationState;
use sea_orm::{ConnectionTrait, Statement};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    harness::{Database, GX, Gx, Now, Payer, Person, block_of},
    partitions::pay,
};

/// How often something is looked at again.
const POLL: Duration = Duration::from_millis(20);

#[tokio::test]
async fn a_spoiled_read_model_is_mended_while_people_pay_and_read_on_sqlite() {
    mended(Database::Sqlite).await;
}

#[tokio::test]
async fn a_spoiled_read_model_is_mended_while_people_pay_and_read_on_postgres() {
    mended(Database::Postgres).await;
}

#[tokio::test]
async fn a_spoiled_read_model_is_mended_while_people_pay_and_read_on_six_processes() {
    mended(Database::PostgresApart).await;
}

async fn mended(database: Database) {
    let gx = Gx::start(database).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let (cid, dee) = (gx.person("FR").await, gx.person("FR").await);
    let block = block_of(&cid.pay(cid.to(&dee.account, GX, 0)).await);
    let (of_cid, of_dee) = (cid.wallet(block).await, dee.wallet(block).await);
    spoil(&gx, &cid.account, &dee.account).await;
    let (sound, told) = gx.tool(&["reconcile"]).await;
    assert!(!sound && told.contains(&cid.account), "{told}");

    let end = CancellationToken::new();
    let (paid, looks, ()) = tokio::join!(
        pay(&ann, &bee, &end),
        look(&gx, &cid, [of_cid.balance_qirat, 0], &end),
        async {
            let (done, told) = gx.tool(&["projector", "rebuild"]).await;
            assert!(done, "{told}");
            for table in ["wallets: ", "entries: ", "supply: "] {
                assert!(told.contains(table), "{table}: {told}");
            }
            end.cancel();
        }
    );
    assert!(paid > 0 && looks > 0, "{paid}, {looks}");
    for tool in [&["reconcile"][..], &["projector", "status"]] {
        let (sound, told) = gx.tool(tool).await;
        assert!(sound, "{tool:?}: {told}");
    }
    let (cid_now, dee_now) = (cid.wallet(0).await, dee.wallet(0).await);
    assert_eq!(cid_now.balance_qirat, of_cid.balance_qirat);
    assert_eq!(dee_now.balance_qirat, of_dee.balance_qirat);
    assert!(!dee.entries().await.is_empty());
    assert_eq!(surplus(&gx).await, 0);
    assert_eq!(held(&gx).await, held_by_commands(&gx).await);

    // Nothing differs now, and owners are as they were.
    let (done, told) = gx.tool(&["projector", "rebuild"]).await;
    assert!(done && told.contains("nothing differed"), "{told}");
    cid.pay(cid.to(&dee.account, 1, 0)).await;
}

#[cfg(feature = "simulation")]
#[tokio::test]
async fn a_killed_rebuild_changes_nothing_and_the_next_one_begins_anew_on_sqlite() {
    killed(Database::Sqlite).await;
}

#[cfg(feature = "simulation")]
#[tokio::test]
async fn a_killed_rebuild_changes_nothing_and_the_next_one_begins_anew_on_postgres() {
    killed(Database::Postgres).await;
}

/// A rebuild stands in the middle: a second one is refused, people pay on, and once it is
/// killed everything is as it was.
#[cfg(feature = "simulation")]
async fn killed(database: Database) {
    let gx = Gx::start(database).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    ann.pay(ann.to(&bee.account, GX, 0)).await;
    spoil(&gx, &ann.account, &bee.account).await;
    let spoiled = ann.wallet(0).await.balance_qirat;

    let rebuild = ["projector", "rebuild"];
    let making = gx.standing_tool(&rebuild, "projected").await;
    let (done, told) = gx.tool(&rebuild).await;
    assert!(!done && told.contains("is at it"), "{told}");
    let block = block_of(&bee.pay(bee.to(&ann.account, 1, GX)).await);
    // The receiver's partition may be behind the payer's, which settled it.
    ann.wallet(block).await;
    drop(making);
    as_spoiled(&gx, &ann, spoiled + 1).await;
    // All rows are written, and nothing is committed.
    let exchanging = gx.standing_tool(&rebuild, "exchange").await;
    assert_eq!(ann.wallet(0).await.balance_qirat, spoiled + 1);
    drop(exchanging);
    as_spoiled(&gx, &ann, spoiled + 1).await;

    let (done, told) = gx.tool(&["projector", "rebuild"]).await;
    assert!(done, "{told}");
    let (sound, told) = gx.tool(&["reconcile"]).await;
    assert!(sound, "{told}");
}

#[cfg(feature = "simulation")]
async fn as_spoiled(gx: &Gx, ann: &Person, balance_qirat: u64) {
    assert_eq!(ann.wallet(0).await.balance_qirat, balance_qirat);
    let (sound, told) = gx.tool(&["reconcile"]).await;
    assert!(!sound && told.contains(&ann.account), "{told}");
}

/// The partitions are dealt anew while a rebuild stands in its middle.
#[cfg(feature = "simulation")]
#[tokio::test]
async fn a_rebuild_whose_partitions_are_dealt_anew_changes_nothing_on_postgres() {
    let gx = Gx::start(Database::Postgres).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    ann.pay(ann.to(&bee.account, GX, 0)).await;
    spoil(&gx, &ann.account, &bee.account).await;
    let spoiled = ann.wallet(0).await.balance_qirat;
    let rebuild = ["projector", "rebuild"];
    let making = gx.stopped_tool(&rebuild, "applying").await;
    let (dealt, told) = gx.tool(&["partitions", "set", "3"]).await;
    assert!(dealt, "{told}");
    let (done, told) = making.go_on().await;
    assert!(!done && told.contains("dealt anew meanwhile"), "{told}");
    as_spoiled(&gx, &ann, spoiled).await;
    let (done, told) = gx.tool(&rebuild).await;
    assert!(done, "{told}");
    let (sound, told) = gx.tool(&["reconcile"]).await;
    assert!(sound, "{told}");
}

/// A database is said to be restored while a rebuild stands in its middle: it catches up
/// as it would alone, and the rebuild mends what it finds then.
#[cfg(feature = "simulation")]
#[tokio::test]
async fn a_rebuild_in_the_middle_of_which_a_database_catches_up_is_sound_on_postgres() {
    let gx = Gx::start(Database::Postgres).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    ann.pay(ann.to(&bee.account, GX, 0)).await;
    spoil(&gx, &ann.account, &bee.account).await;
    let making = gx.stopped_tool(&["projector", "rebuild"], "applying").await;
    let (marked, told) = gx.tool(&["restored"]).await;
    assert!(marked, "{told}");
    let payer = Payer::new(&ann, &Now::new(gx.client()));
    let paid = payer.sent(&ann.to(&bee.account, GX, 0)).await;
    payer.settled(&paid.name).await;
    let (done, told) = making.go_on().await;
    assert!(done, "{told}");
    let (sound, told) = gx.tool(&["reconcile"]).await;
    assert!(sound, "{told}");
}

#[tokio::test]
async fn what_waits_at_the_exchange_is_held_and_settles_once() {
    let gx = Gx::start(Database::PostgresApart).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let left = ann.wallet(0).await.balance_qirat;
    gx.halt("submitter").await;
    let mut waiting = Vec::new();
    for _ in 0..3 {
        waiting.push(ann.sent(ann.to(&bee.account, GX, 0)).await);
    }
    spoil(&gx, &ann.account, &bee.account).await;
    let (done, told) = gx.tool(&["projector", "rebuild"]).await;
    assert!(done, "{told}");
    let wallet = ann.wallet(0).await;
    assert_eq!(
        (wallet.balance_qirat, wallet.reserved_qirat),
        (left, 3 * GX)
    );
    let (sound, told) = gx.tool(&["reconcile"]).await;
    assert!(sound, "{told}");

    gx.let_go("submitter").await;
    for operation in &waiting {
        let settled = ann.client.settled(&operation.name).await;
        assert_eq!(settled.state(), OperationState::Succeeded);
    }
    let last = ann.pay(ann.to(&bee.account, GX, 0)).await;
    let wallet = ann.wallet(block_of(&last)).await;
    assert_eq!(wallet.balance_qirat, left - 4 * GX);
    assert_eq!(wallet.reserved_qirat, 0);
    // The grant and four transfers.
    assert_eq!(bee.entries().await.len(), 5);
    let (sound, told) = gx.tool(&["reconcile"]).await;
    assert!(sound, "{told}");
}

/// Changes a balance and what is held of it, another one's entries and the supply.
async fn spoil(gx: &Gx, account: &str, other: &str) {
    let tx = gx.store().await.begin().await.unwrap();
    for statement in [
        format!("update wallets set balance_qirat = balance_qirat + 7, reserved_qirat = 3 where account = '{account}'"),
        format!("delete from entries where account = '{other}'"),
        "update supply set total_qirat = total_qirat + 1 where block = (select min(block) from supply)"
            .to_owned(),
    ] {
        assert!(tx.execute_unprepared(&statement).await.unwrap().rows_affected() > 0);
    }
    tx.commit().await.unwrap();
}

/// Reads a balance and the supply, of which each is as it was changed or as the chain
/// says; how often.
async fn look(gx: &Gx, cid: &Person, right: [u64; 2], end: &CancellationToken) -> usize {
    let changed = [right[0] + 7, surplus(gx).await];
    let mut times = 0;
    while !end.is_cancelled() {
        let found = [cid.wallet(0).await.balance_qirat, surplus(gx).await];
        for ((found, right), changed) in found.iter().zip(&right).zip(&changed) {
            assert!(found == right || found == changed, "{found}");
        }
        times += 1;
        sleep(POLL).await;
    }
    times
}

/// What the parts of the supply are more than all that there is.
async fn surplus(gx: &Gx) -> u64 {
    let supply = gx.supply(0).await;
    let sum = supply.pools_qirat + supply.treasuries_qirat + supply.circulating_qirat;
    sum - supply.maximum_qirat
}

async fn held(gx: &Gx) -> i64 {
    number(
        gx,
        "select cast(sum(reserved_qirat) as bigint) from wallets",
    )
    .await
}

async fn held_by_commands(gx: &Gx) -> i64 {
    number(
        gx,
        "select cast(coalesce(sum(held_qirat), 0) as bigint) from outbox where not voided",
    )
    .await
}

async fn number(gx: &Gx, query: &str) -> i64 {
    let db = gx.store().await.read();
    let asked = Statement::from_string(db.get_database_backend(), query);
    let row = db.query_one_raw(asked).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}
