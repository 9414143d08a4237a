//! A process is killed from outside at named points of a command's way: the only one,
//! or of six the one that has the point, while the others run on. Each time it starts
//! again where it was: what was accepted has exactly one effect, nothing is held for
//! nothing, and the read model is what the chain says. The points of a command's way
//! stand here, those of what else processes do in [`roles`].

mod roles;

use std::time::Instant;

use gx_proto::gx::operation::v1::OperationState;
use sea_orm::{ConnectionTrait, Statement};

use crate::harness::{Database, GX, Gx, block_of};

/// Where a process stands still until it is killed, in the order of the way, each with
/// the role whose process it is.
const POINTS: [(&str, &str); 10] = [
    // The intake has written everything and not committed.
    ("wallet", "fold"),
    // It has committed and not answered.
    ("wallet", "folded"),
    // The batch's commands have their numbers.
    ("submitter", "numbers"),
    // The batch is endorsed, and nobody knows.
    ("submitter", "endorsed"),
    // The envelope is stored and not sent.
    ("submitter", "envelope"),
    // It is sent.
    ("submitter", "submitted"),
    // Its block has come to the projector.
    ("projector", "block"),
    // The block's rows are written and not committed.
    ("projector", "projection"),
    // They are committed, and nobody was told.
    ("projector", "projected"),
    // The submitter has learnt that the batch is valid.
    ("submitter", "valid"),
];

const AMOUNT: u64 = GX;

#[tokio::test]
async fn a_kill_at_any_point_loses_and_repeats_nothing_on_sqlite() {
    killed_at_every_point(Database::Sqlite).await;
}

#[tokio::test]
async fn a_kill_at_any_point_loses_and_repeats_nothing_on_postgres() {
    killed_at_every_point(Database::Postgres).await;
}

#[tokio::test]
async fn a_kill_at_any_point_loses_and_repeats_nothing_on_six_processes() {
    killed_at_every_point(Database::PostgresApart).await;
}

async fn killed_at_every_point(database: Database) {
    let mut gx = Gx::start(database).await;
    let (sender, receiver) = (gx.person("DE").await, gx.person("DE").await);
    let (mut left, mut got) = (500 * GX, 500 * GX);
    for (role, point) in POINTS {
        let stopped = gx.replace(role, "TERM", &[("KILL_POINT", point)]).await;
        assert!(stopped.success(), "{point}");
        let paying = sender.on(&gx);
        let transfer = paying.to(&receiver.account, AMOUNT, 0);
        let asked = tokio::spawn({
            let (paying, transfer) = (paying.clone(), transfer.clone());
            async move { paying.send(transfer).await.map(drop) }
        });
        gx.said_by(role, &format!("kill point {point}")).await;
        let killed = Instant::now();
        assert!(!gx.replace(role, "KILL", &[]).await.success());
        let answered = asked.await.unwrap().is_ok();

        let (paying, paid) = (sender.on(&gx), receiver.on(&gx));
        if answered {
            assert_eq!(
                open_or_settled(&gx).await,
                1,
                "{point}: an answered command is lost"
            );
        }
        let operation = paying.pay(transfer.clone()).await;
        assert_eq!(operation.state(), OperationState::Succeeded, "{point}");
        println!("{point}: settled {:?} after the kill", killed.elapsed());
        let again = paying.pay(transfer).await;
        assert_eq!(again.name, operation.name, "{point}");
        (left, got) = (left - AMOUNT, got + AMOUNT);
        let block = block_of(&operation);
        let (from, to) = (paying.wallet(block).await, paid.wallet(block).await);
        assert_eq!(
            (from.balance_qirat, to.balance_qirat),
            (left, got),
            "{point}"
        );
        assert_eq!(from.reserved_qirat, 0, "{point}");
        let (clean, told) = gx.tool(&["reconcile"]).await;
        assert!(clean, "{point}: {told}");
        forget(&gx).await;
    }
}

/// Transfers that the test has not counted yet.
async fn open_or_settled(gx: &Gx) -> i64 {
    let query = "select count(*) from operations where kind = 4 and memo is null";
    count(gx, query).await
}

/// Marks the transfers so far as counted.
async fn forget(gx: &Gx) {
    let store = gx.store().await;
    let tx = store.begin().await.unwrap();
    tx.execute_unprepared("update operations set memo = 'counted' where kind = 4")
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

async fn count(gx: &Gx, query: &str) -> i64 {
    let db = gx.store().await.read();
    let row = db
        .query_one_raw(Statement::from_string(db.get_database_backend(), query))
        .await;
    row.unwrap().unwrap().try_get_by_index(0).unwrap()
}
