//! The tools, run beside a system as an operator runs them: what they say of one
//! that is whole, and that they name what was changed by hand.

use gx_proto::gx::ledger::v1::GetBlockRequest;
use gx_server::{
    audit::entity::line,
    wallet::entity::{entry, wallet},
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait},
};
use serde_json::Value;

use crate::harness::{Database, Gx};

#[tokio::test]
async fn demo_proves_the_system_and_names_what_was_changed_on_sqlite() {
    demo(Database::Sqlite).await;
}

#[tokio::test]
async fn demo_proves_the_system_and_names_what_was_changed_on_postgres() {
    demo(Database::Postgres).await;
}

#[tokio::test]
async fn demo_proves_the_system_and_names_what_was_changed_on_six_processes() {
    demo(Database::PostgresApart).await;
}

async fn demo(database: Database) {
    let mut gx = Gx::start(database).await;
    for _ in 0..2 {
        proven(&gx).await;
    }
    gx.kill().await;
    gx.restart().await;
    proven(&gx).await;

    let account = somebody(&gx).await;
    change_balance(&gx, &account, 1).await;
    for tool in ["demo", "reconcile"] {
        let (sound, told) = gx.tool(&[tool]).await;
        assert!(!sound && told.contains(&account), "{tool}: {told}");
    }
    change_balance(&gx, &account, -1).await;
    let (sound, told) = gx.tool(&["reconcile"]).await;
    assert!(sound, "{told}");

    change_entry(&gx, &account).await;
    let (sound, told) = gx.tool(&["reconcile"]).await;
    assert!(!sound && told.contains(&account), "{told}");
}

async fn proven(gx: &Gx) {
    let (sound, told) = gx.tool(&["demo"]).await;
    assert!(sound, "{told}");
    assert_eq!(told.matches("  holds ").count(), 4, "{told}");
}

/// An account that got a grant.
async fn somebody(gx: &Gx) -> String {
    let wallets = wallet::Entity::find().filter(wallet::Column::UserId.is_not_null());
    let wallets = wallets.order_by_asc(wallet::Column::Account);
    let wallet = wallets.one(gx.store().await.read()).await.unwrap();
    wallet.unwrap().account
}

async fn change_balance(gx: &Gx, account: &str, by_qirat: i64) {
    let tx = gx.store().await.begin().await.unwrap();
    let changed = Expr::col(wallet::Column::BalanceQirat).add(by_qirat);
    wallet::Entity::update_many()
        .col_expr(wallet::Column::BalanceQirat, changed)
        .filter(wallet::Column::Account.eq(account))
        .exec(&tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// Adds to all entries of an account and to its wallet alike, so that only the
/// chain knows better.
async fn change_entry(gx: &Gx, account: &str) {
    let tx = gx.store().await.begin().await.unwrap();
    let changed = entry::Entity::update_many()
        .col_expr(
            entry::Column::DeltaQirat,
            Expr::col(entry::Column::DeltaQirat).add(1),
        )
        .filter(entry::Column::Account.eq(account))
        .exec(&tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let by_qirat = i64::try_from(changed.rows_affected).unwrap();
    change_balance(gx, account, by_qirat).await;
}

#[tokio::test]
async fn tools_read_a_running_and_a_stopped_system_on_sqlite() {
    tools(Database::Sqlite).await;
}

#[tokio::test]
async fn tools_read_a_running_and_a_stopped_system_on_postgres() {
    tools(Database::Postgres).await;
}

#[tokio::test]
async fn tools_read_a_running_and_a_stopped_system_of_six_processes() {
    tools(Database::PostgresApart).await;
}

async fn tools(database: Database) {
    let mut gx = Gx::start(database).await;
    let reconciled = json(&gx, &["reconcile"]).await;
    assert_eq!(reconciled["supply_qirat"], "1250000000000000000");
    ready(&gx).await;
    look(&gx).await;
    // The test's own connection keeps nothing that a stop would take away.
    let store = gx.store().await.clone();
    gx.stop().await;
    for tool in [&["reconcile", "--timeout-s", "0"][..], &["preflight"]] {
        let (sound, told) = gx.tool(tool).await;
        assert!(!sound && told.contains("127.0.0.1:"), "{tool:?}: {told}");
    }
    look(&gx).await;

    let tx = store.begin().await.unwrap();
    line::Entity::update_many()
        .col_expr(line::Column::Outcome, "FORGED".into())
        .filter(line::Column::Sequence.eq(1))
        .exec(&tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let (intact, told) = gx.tool(&["audit", "verify"]).await;
    assert!(!intact && told.contains("line 1"), "{told}");
}

/// Preflight finds everything as it must be, and has looked at each kind of thing.
async fn ready(gx: &Gx) {
    let preflight = json(gx, &["preflight"]).await;
    let checks = preflight["checks"].as_array().unwrap();
    assert!(
        checks.iter().all(|check| check["verdict"] == "ok"),
        "{preflight:#}"
    );
    for kind in [
        "identity partner",
        "identity admin",
        "identity super_admin",
        " name",
        " port",
        " TLS",
        " channel",
        "chaincode gx",
        "rules",
        "batched operations",
        "clock",
        "endorsement for partner",
        "endorsement for admin",
        "endorsement for super_admin",
        "database",
        "lanes",
    ] {
        let of_kind = |check: &Value| check["what"].as_str().unwrap().ends_with(kind);
        assert!(checks.iter().any(of_kind), "{kind}: {preflight:#}");
    }
}

async fn look(gx: &Gx) {
    assert_eq!(json(gx, &["outbox", "list"]).await["total"], 0);
    let lanes = json(gx, &["lanes", "list"]).await;
    assert_eq!(lanes["lanes"].as_array().unwrap().len(), 18);
    let partitions = json(gx, &["projector", "status"]).await;
    assert_eq!(partitions["partitions"][0]["lag_blocks"], 0);
    let audit = json(gx, &["audit", "verify"]).await;
    assert_eq!(audit["broken_at"], Value::Null);
}

#[tokio::test]
async fn the_chain_s_files_are_inspected_while_gx_runs_and_a_block_that_changed_is_named() {
    let mut gx = Gx::start(Database::Sqlite).await;
    gx.person("DE").await;
    let running = json(&gx, &["devnet", "inspect"]).await;
    let (height, last) = (running["height"].as_u64().unwrap(), &running["last"]);
    let request = GetBlockRequest {
        name: format!("blocks/{}", height - 1),
        min_block: height - 1,
    };
    let block = gx.admin().await.ledger().get_block(request).await.unwrap();
    let block = block.into_inner().block.unwrap();
    assert_eq!(last["number"], block.number);
    assert_eq!(last["hash"], block.hash);
    let time_s = block.time.unwrap().seconds;
    assert_eq!(last["time_ms"].as_i64().unwrap() / 1_000, time_s);
    assert!(running["keys"].as_u64().unwrap() > 0);
    assert!(running["state_height"].as_u64().unwrap() > 0);

    gx.stop().await;
    let stopped = json(&gx, &["devnet", "inspect"]).await;
    assert_eq!(stopped["height"], height);
    assert_eq!(stopped["state_height"], height);

    let path = gx.data_dir().join("devnet/blocks.bin");
    let mut blocks = std::fs::read(&path).unwrap();
    let middle = blocks.len() / 2;
    blocks[middle] ^= 1;
    std::fs::write(&path, blocks).unwrap();
    let (whole, told) = gx.tool(&["devnet", "inspect"]).await;
    assert!(!whole && told.contains("NOT WHOLE"), "{told}");
    assert!(told.contains(&format!("{} is damaged at byte ", path.display())));
}

async fn json(gx: &Gx, tool: &[&str]) -> Value {
    let arguments = [tool, &["--output", "json"]].concat();
    let (sound, told) = gx.tool(&arguments).await;
    assert!(sound, "{tool:?}: {told}");
    // Behind the answer stands what went to the log.
    let mut values = serde_json::Deserializer::from_str(&told).into_iter();
    let answer = values.next().expect("an answer");
    answer.unwrap_or_else(|error| panic!("{tool:?}: {error}: {told}"))
}

#[tokio::test]
async fn tools_of_a_system_that_never_was_say_so() {
    let folder = tempfile::tempdir().unwrap();
    for tool in [
        &["reconcile"][..],
        &["demo"],
        &["outbox", "list"],
        &["lanes", "list"],
        &["projector", "status"],
        &["audit", "verify"],
        &["users", "unlock", "root"],
        &["restored"],
        &["partitions", "set", "4"],
        &["devnet", "connection"],
        &["devnet", "inspect"],
    ] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_gx"))
            .args(tool)
            .env_clear()
            .env("GX_DATA_DIR", folder.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{tool:?}");
        let told = String::from_utf8(output.stderr).unwrap();
        let path = folder.path().display().to_string();
        assert!(told.contains(&path), "{tool:?}: {told}");
        assert!(output.stdout.is_empty(), "{tool:?}");
    }
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}
