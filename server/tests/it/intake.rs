//! The intake: many callers share a commit, a caller alone waits for nobody, a
//! request has one effect however often it is sent, and money is never promised
//! twice.

use std::collections::BTreeSet;

use futures::future::join_all;
use gx_proto::gx::{
    operation::v1::{Operation, OperationState},
    wallet::v1::TransferRequest,
};
use gx_server::outbox::entity::operation;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter, Statement,
};
use tonic::Code;

use crate::harness::{
    Client, Database, GX, Gx, Person, Refusal, Shared, block_of, reason_of, unopened_account,
};

static SQLITE: Shared = Shared::on(Database::Sqlite);
static POSTGRES: Shared = Shared::on(Database::Postgres);
static APART: Shared = Shared::on(Database::PostgresApart);

const COMMITS: &str = "gx_intake_commits_total";
const COMMANDS: &str = "gx_intake_commands_total";

/// Sends transfers at once, over so many connections, and answers their operations.
async fn at_once(gx: &Gx, sent: Vec<(&Person, TransferRequest)>) -> Vec<Operation> {
    // One connection carries at most 128 calls at once.
    let connections: Vec<Client> = (0..8).map(|_| gx.connect()).collect();
    let calls = sent.into_iter().zip(connections.iter().cycle());
    let calls = calls.map(|((person, transfer), connection)| {
        let mut wallet = person.client.over(connection).wallet();
        async move { wallet.transfer(transfer).await }
    });
    let answers = join_all(calls).await.into_iter();
    answers
        .map(|answer| answer.expect("taken").into_inner().operation)
        .map(|operation| operation.expect("an operation"))
        .collect()
}

/// What the intake did so far: commits, commands.
async fn done(gx: &Gx) -> (f64, f64) {
    (gx.metric(COMMITS).await, gx.metric(COMMANDS).await)
}

#[tokio::test]
async fn many_callers_share_a_commit_on_sqlite() {
    many_callers_share_a_commit(Database::Sqlite).await;
}

#[tokio::test]
async fn many_callers_share_a_commit_on_postgres() {
    many_callers_share_a_commit(Database::Postgres).await;
}

#[tokio::test]
async fn many_callers_share_a_commit_on_six_processes() {
    many_callers_share_a_commit(Database::PostgresApart).await;
}

async fn many_callers_share_a_commit(database: Database) {
    let gx = Gx::start(database).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let (commits, commands) = done(&gx).await;
    let callers = (0..128).flat_map(|_| [(&ann, &bee), (&bee, &ann)]);
    let transfers = callers.map(|(from, to)| (from, from.to(&to.account, 1, 0)));
    let operations = at_once(&gx, transfers.collect()).await;
    let names: BTreeSet<_> = operations.into_iter().map(|one| one.name).collect();
    assert_eq!(names.len(), 256);
    let (after, all) = done(&gx).await;
    assert_eq!(all - commands, 256.0, "each command once");
    let commits = after - commits;
    assert!(commits <= 256.0 / 8.0, "{commits} commits for 256 commands");
    let admin = gx.admin().await;
    for name in &names {
        let settled = admin.settled(name).await;
        assert_eq!(settled.state(), OperationState::Succeeded);
    }
}

#[tokio::test]
async fn caller_alone_waits_for_nobody() {
    let gx = Gx::start(Database::Sqlite).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let (commits, commands) = done(&gx).await;
    for _ in 0..20 {
        ann.sent(ann.to(&bee.account, 1, 0)).await;
    }
    let (after, all) = done(&gx).await;
    assert_eq!((after - commits, all - commands), (20.0, 20.0));
}

#[tokio::test]
async fn request_sent_fifty_times_at_once_has_one_effect_on_sqlite() {
    fifty_copies_are_one(&SQLITE).await;
}

#[tokio::test]
async fn request_sent_fifty_times_at_once_has_one_effect_on_postgres() {
    fifty_copies_are_one(&POSTGRES).await;
}

#[tokio::test]
async fn request_sent_fifty_times_at_once_has_one_effect_on_six_processes() {
    fifty_copies_are_one(&APART).await;
}

async fn fifty_copies_are_one(gx: &Shared) {
    let gx = gx.gx().await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let grant = ann.wallet(0).await.balance_qirat;

    let transfer = ann.to(&bee.account, GX, 0);
    let copies = (0..50).map(|_| (&ann, transfer.clone())).collect();
    let copies = at_once(&gx, copies).await.into_iter();
    let names: BTreeSet<_> = copies.map(|one| one.name).collect();
    assert_eq!(names.len(), 1, "{names:?}");
    let name = names.first().unwrap();
    let settled = ann.client.settled(name).await;
    assert_eq!(settled.state(), OperationState::Succeeded);

    let owner = ann.name.strip_prefix("users/");
    let rows = operation::Entity::find().filter(operation::Column::Owner.eq(owner));
    let rows = rows.count(gx.store().await.read()).await;
    assert_eq!(rows.unwrap(), 1, "one operation");
    let wallet = ann.wallet(block_of(&settled)).await;
    assert_eq!(
        (wallet.balance_qirat, wallet.reserved_qirat),
        (grant - GX, 0)
    );
    let received = bee.wallet(block_of(&settled)).await;
    assert_eq!(received.balance_qirat, grant + GX);

    // Long after it is settled it is still the same one.
    let again = ann.sent(transfer.clone()).await;
    assert_eq!(again, settled);
    reused_request_id_is_told(&ann, &transfer).await;
    assert_eq!(ann.wallet(0).await.balance_qirat, grant - GX);
}

#[tokio::test]
async fn two_processes_promise_nothing_twice() {
    const AMOUNT: u64 = 10 * GX;
    let gx = Gx::start(Database::PostgresApart).await;
    let _beside = gx.beside("wallet").await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let other = Person {
        client: ann.client.over(&gx.client_beside("beside", "svc-wallet")),
        ..ann.clone()
    };
    let both = [&ann, &other];
    let copy = ann.to(&bee.account, AMOUNT, GX);
    let copies = (0..50).map(|number| both[number % 2].sent(copy.clone()));
    let names: BTreeSet<_> = join_all(copies)
        .await
        .into_iter()
        .map(|one| one.name)
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
    let paid = ann.client.settled(names.first().unwrap()).await;
    assert_eq!(paid.state(), OperationState::Succeeded);

    let available = ann.wallet(block_of(&paid)).await.available_qirat;
    let transfers = (0..80).map(|number| {
        let sender = both[number % 2];
        sender.sent(sender.to(&bee.account, AMOUNT, 5_000))
    });
    let sent = join_all(transfers).await;
    let accepted = sent
        .iter()
        .filter(|one| one.state() != OperationState::Refused);
    let accepted: Vec<_> = accepted.map(|one| one.name.clone()).collect();
    assert_eq!(accepted.len() as u64, available / (AMOUNT + 5_000));
    let mut block = 0;
    for name in accepted {
        block = block.max(block_of(&ann.client.settled(&name).await));
    }
    assert_eq!(ann.wallet(block).await.reserved_qirat, 0);
}

/// Each field that differs makes it another request.
async fn reused_request_id_is_told(ann: &Person, transfer: &TransferRequest) {
    let mut others = vec![transfer.clone(); 4];
    others[0].amount_qirat += 1;
    others[1].max_fee_qirat += 1;
    others[2].reference = "another".to_owned();
    others[3].receiver = unopened_account(1);
    for other in others {
        let refused = Refusal::of(&ann.send(other).await.unwrap_err());
        assert_eq!(refused.told(), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
    }
}

#[tokio::test]
async fn no_more_is_accepted_than_the_wallet_holds_on_sqlite() {
    no_more_is_accepted_than_the_wallet_holds(&SQLITE).await;
}

#[tokio::test]
async fn no_more_is_accepted_than_the_wallet_holds_on_postgres() {
    no_more_is_accepted_than_the_wallet_holds(&POSTGRES).await;
}

#[tokio::test]
async fn no_more_is_accepted_than_the_wallet_holds_on_six_processes() {
    no_more_is_accepted_than_the_wallet_holds(&APART).await;
}

async fn no_more_is_accepted_than_the_wallet_holds(gx: &Shared) {
    /// What is held is what is charged, so settling gives nothing back meanwhile.
    const FEE: u64 = 5_000;
    const AMOUNT: u64 = 10 * GX;
    let gx = gx.gx().await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let available = ann.wallet(0).await.available_qirat;
    let fit = available / (AMOUNT + FEE);
    assert_eq!(fit, 49);

    let transfers = (0..80).map(|_| (&ann, ann.to(&bee.account, AMOUNT, FEE)));
    let sent = at_once(&gx, transfers.collect()).await;
    let (refused, accepted): (Vec<_>, Vec<_>) = sent
        .iter()
        .partition(|operation| operation.state() == OperationState::Refused);
    assert_eq!(accepted.len() as u64, fit);
    for operation in refused {
        assert_eq!(reason_of(operation), "INSUFFICIENT_FUNDS");
    }
    let mut block = 0;
    for operation in &accepted {
        let settled = ann.client.settled(&operation.name).await;
        assert_eq!(settled.state(), OperationState::Succeeded);
        block = block.max(block_of(&settled));
    }
    let wallet = ann.wallet(block).await;
    assert_eq!(wallet.balance_qirat, available - fit * (AMOUNT + FEE));
    assert_eq!(wallet.reserved_qirat, 0);
    let received = bee.wallet(block).await.balance_qirat;
    assert_eq!(received, available + fit * AMOUNT);
}

#[tokio::test]
async fn what_was_held_beyond_the_fee_comes_back() {
    let gx = SQLITE.gx().await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let available = ann.wallet(0).await.available_qirat;
    let paid = ann.pay(ann.to(&bee.account, 10 * GX, GX)).await;
    let wallet = ann.wallet(block_of(&paid)).await;
    assert_eq!(wallet.balance_qirat, available - 10 * GX - 5_000);
    assert_eq!(wallet.available_qirat, wallet.balance_qirat);
    // All of it may be held again, and not one more.
    let rest = wallet.available_qirat;
    let beyond = ann.sent(ann.to(&bee.account, rest, 1)).await;
    assert_eq!(reason_of(&beyond), "INSUFFICIENT_FUNDS");
    let fee = rest / 1_000 * 999 / 1_000;
    let whole = ann.pay(ann.to(&bee.account, rest - fee, fee)).await;
    assert_eq!(whole.state(), OperationState::Succeeded, "{whole:?}");
}

#[tokio::test]
async fn transfer_that_the_ledger_refuses_gives_back_what_it_held() {
    let gx = SQLITE.gx().await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let available = ann.wallet(0).await.available_qirat;
    for (receiver, max_fee, reason) in [
        (unopened_account(1), GX, "UNKNOWN_RECEIVER"),
        (ann.account.clone(), GX, "SELF_TRANSFER"),
        (bee.account.clone(), 4_999, "FEE_CHANGED"),
    ] {
        let refused = ann.pay(ann.to(&receiver, 10 * GX, max_fee)).await;
        assert_eq!(refused.state(), OperationState::Refused);
        assert_eq!(reason_of(&refused), reason);
        let wallet = ann.wallet(block_of(&refused)).await;
        assert_eq!(
            (wallet.balance_qirat, wallet.reserved_qirat),
            (available, 0),
            "{reason}"
        );
    }
    assert_eq!(bee.wallet(0).await.balance_qirat, available);
}

#[tokio::test]
async fn deadlock_is_retried_and_counted() {
    let gx = POSTGRES.gx().await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let before = gx.metric("gx_deadlocks_total").await;
    let store = gx.store().await;
    let tx = store.begin().await.unwrap();
    // It is the other side that finds the deadlock.
    let patient = "set local deadlock_timeout = '60s'";
    tx.execute_unprepared(patient).await.unwrap();
    let wallet = format!(
        "select from wallets where account = '{}' for update",
        ann.account
    );
    tx.execute_unprepared(&wallet).await.unwrap();

    let transfer = ann.to(&bee.account, GX, 0);
    let crossing = async {
        // The intake holds the control row and waits for the wallet.
        let waits = "select 1 from pg_stat_activity \
                     where datname = current_database() and wait_event_type = 'Lock'";
        let waits = || Statement::from_string(DbBackend::Postgres, waits);
        while store.read().query_one_raw(waits()).await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        let control = "select from control for update";
        tx.execute_unprepared(control).await.unwrap();
        tx.commit().await.unwrap();
    };
    let (operation, ()) = tokio::join!(ann.pay(transfer), crossing);
    assert_eq!(operation.state(), OperationState::Succeeded);
    assert!(gx.metric("gx_deadlocks_total").await > before);
    let wallet = ann.wallet(block_of(&operation)).await;
    assert_eq!(wallet.reserved_qirat, 0);
}
