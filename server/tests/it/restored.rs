//! The database is lost, and put back from a backup that is many transfers old. With
//! `gx restored` or without it no command is taken before the read model is at the
//! chain's end again; then it is what it was before the loss, and what clients ask again
//! under their request_ids is answered by the same operations and changes nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use gx_proto::gx::{
    identity::v1::BindAccountRequest,
    ledger::v1::GetLedgerRequest,
    operation::v1::{OperationState, WaitOperationRequest},
    wallet::v1::{BatchedTransfer, TransferRequest, batched_transfer_result},
};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::harness::{
    Database, GX, Gx, Now, PATIENCE, Payer, Person, Refusal, block_of, reason_in,
};

/// Transfers that the backup does not have.
const LOST: usize = 1_000;
/// The most transfers of one batch.
const BATCH: usize = 500;
/// Why nothing is taken meanwhile.
const CATCHING_UP: &str = "CATCHING_UP";
/// People who pay while the database is lost.
const PAYERS: usize = 3;
/// How often something is looked at again.
const POLL: Duration = Duration::from_millis(20);

#[tokio::test]
async fn a_restored_database_is_what_it_was_before_the_loss_on_sqlite() {
    restored(Database::Sqlite, true).await;
}

#[tokio::test]
async fn a_restored_database_is_what_it_was_before_the_loss_on_postgres() {
    restored(Database::Postgres, true).await;
}

#[tokio::test]
async fn a_restored_database_is_what_it_was_before_the_loss_of_six_processes() {
    restored(Database::PostgresApart, true).await;
}

#[tokio::test]
async fn roles_notice_a_restored_database_by_themselves_on_sqlite() {
    restored(Database::Sqlite, false).await;
}

#[tokio::test]
async fn roles_notice_a_restored_database_by_themselves_on_six_processes() {
    restored(Database::PostgresApart, false).await;
}

async fn restored(database: Database, told: bool) {
    let mut gx = Gx::start(database).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let kept = vec![ann.to(&bee.account, GX, GX)];
    let kept_names = succeed(&ann, &kept).await;
    let backup = gx.back_up().await;

    let from_bee = vec![bee.to(&ann.account, 300 * GX, GX)];
    let bee_names = succeed(&bee, &from_bee).await;
    // What the backup shows would not suffice for the last one.
    let mut lost: Vec<_> = (1..LOST).map(|_| ann.to(&bee.account, 1, 1)).collect();
    let mut names = succeed(&ann, &lost).await;
    lost.push(ann.to(&bee.account, 700 * GX, GX));
    names.extend(succeed(&ann, &lost[LOST - 1..]).await);
    level(&ann).await;
    let before = gx.determined().await;

    gx.stop().await;
    gx.restore(&backup).await;
    if told {
        for _ in 0..2 {
            let (done, told) = gx.tool(&["restored"]).await;
            assert!(done && told.contains("is catching up"), "{told}");
        }
    }
    // No partition reads a block before it is let go.
    gx.restart_with(&[("STOP_POINT", "projector")]).await;
    gx.said_by("projector", "stop point projector").await;
    let (ann, bee) = (ann.on(&gx), bee.on(&gx));
    let mut asked = &lost[..];
    if !told {
        // Whoever carries it to the chain sees that the lane is further there.
        assert_eq!(patient(&ann).send(&asked[..1]).await, names[..1]);
        asked = &asked[1..];
    }
    catches_up(&gx, &ann, true).await;
    nothing_is_taken(&ann, asked).await;
    shows(&gx).await;

    gx.let_go("projector").await;
    assert_eq!(patient(&ann).send(&kept).await, kept_names);
    assert_eq!(succeed(&bee, &from_bee).await, bee_names);
    assert_eq!(succeed(&ann, &lost).await, names);
    catches_up(&gx, &ann, false).await;
    level(&ann).await;
    let changed = before.changed(&gx.determined().await);
    assert!(changed.is_empty(), "{changed:?}");
    succeed(&bee, &[bee.to(&ann.account, GX, GX)]).await;
    for tool in [&["reconcile"][..], &["projector", "status"]] {
        let (sound, told) = gx.tool(tool).await;
        assert!(sound, "{tool:?}: {told}");
    }
}

/// Somebody who pays without end, whatever is lost meanwhile: what was asked for, and the
/// names of the operations that it was answered by.
async fn pays(
    payer: Payer,
    receiver: String,
    answered: Arc<AtomicUsize>,
    end: CancellationToken,
) -> (Vec<TransferRequest>, Vec<String>) {
    let mut paid = (Vec::new(), Vec::new());
    while !end.is_cancelled() {
        let transfer = payer.person.to(&receiver, 1, GX);
        let operation = payer.sent(&transfer).await;
        paid.0.push(transfer);
        paid.1.push(operation.name);
        answered.fetch_add(1, Ordering::Relaxed);
    }
    paid
}

/// Waits until so many more payments are answered.
async fn more(answered: &AtomicUsize, payments: usize) {
    let until = answered.load(Ordering::Relaxed) + payments;
    let seen = async {
        while answered.load(Ordering::Relaxed) < until {
            sleep(POLL).await;
        }
    };
    timeout(PATIENCE, seen).await.expect("payments go on");
}

#[tokio::test]
async fn a_restore_under_payments_that_never_stop_loses_and_repeats_none_on_sqlite() {
    restored_under_payments(Database::Sqlite).await;
}

#[tokio::test]
async fn a_restore_under_payments_that_never_stop_loses_and_repeats_none_of_six_processes() {
    restored_under_payments(Database::PostgresApart).await;
}

/// Killed in the middle, and the backup was made in the middle too.
async fn restored_under_payments(database: Database) {
    let mut gx = Gx::start(database).await;
    let bee = gx.person("DE").await;
    let now = Now::new(gx.client());
    let (answered, end) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
    let mut paying = Vec::new();
    for _ in 0..PAYERS {
        let payer = Payer::new(&gx.person("DE").await, &now);
        let pays = pays(
            payer.clone(),
            bee.account.clone(),
            answered.clone(),
            end.clone(),
        );
        paying.push((payer, tokio::spawn(pays)));
    }
    more(&answered, 50).await;
    let backup = gx.back_up().await;
    more(&answered, 200).await;
    gx.kill().await;
    gx.restore(&backup).await;
    let (done, told) = gx.tool(&["restored"]).await;
    assert!(done && told.contains("is catching up"), "{told}");
    gx.restart().await;
    now.set(gx.client());
    more(&answered, 50).await;
    end.cancel();

    for (payer, paid) in paying {
        let (transfers, names) = paid.await.unwrap();
        assert_eq!(payer.send(&transfers).await, names);
        for name in &names {
            payer.settled(name).await;
        }
        let wallet = payer.over().wallet(0).await;
        let left = 500 * GX - names.len() as u64;
        assert_eq!((wallet.balance_qirat, wallet.reserved_qirat), (left, 0));
    }
    let bee = bee.on(&gx);
    level(&bee).await;
    let got = answered.load(Ordering::Relaxed) as u64;
    assert_eq!(bee.wallet(0).await.balance_qirat, 500 * GX + got);
    let (clean, told) = gx.tool(&["reconcile"]).await;
    assert!(clean, "{told}");
}

#[tokio::test]
async fn whoever_was_approved_in_the_lost_hours_is_bound_to_the_old_account_again() {
    let mut gx = Gx::start(Database::Postgres).await;
    let bee = gx.person("DE").await;
    let backup = gx.back_up().await;
    let lost = gx.person_with("DE", "OF THE LOST HOURS").await;
    lost.pay(lost.to(&bee.account, GX, GX)).await;
    gx.stop().await;
    gx.restore(&backup).await;
    assert!(gx.tool(&["restored"]).await.0);
    gx.restart().await;
    catches_up(&gx, &bee.on(&gx), false).await;

    let now = gx.application_with("DE", "OF THE LOST HOURS").await;
    let refused = gx.approve(&now.verification).await;
    assert_eq!(refused.state(), OperationState::Refused);
    let bind = BindAccountRequest {
        name: now.verification.clone(),
        account: lost.account.clone(),
    };
    let admin = gx.admin().await;
    admin.identity().bind_account(bind).await.expect("bound");
    let again = Person {
        client: now.client,
        ..lost
    };
    assert_eq!(again.wallet(0).await.balance_qirat, 499 * GX);
    let paid = again.pay(again.to(&bee.account, GX, GX)).await;
    let wallet = again.wallet(block_of(&paid)).await;
    assert_eq!(wallet.balance_qirat, 498 * GX, "no second grant");
}

/// The person, who sends the same request until it is answered.
fn patient(person: &Person) -> Payer {
    Payer::new(person, &Now::new(person.client.clone()))
}

/// Sends transfers until they are taken, and waits until the chain has done them; the
/// names of their operations.
async fn succeed(person: &Person, transfers: &[TransferRequest]) -> Vec<String> {
    let names = match transfers {
        [_] => patient(person).send(transfers).await,
        many => taken(person, many).await,
    };
    for name in &names {
        let done = timeout(PATIENCE, done(person, name)).await;
        done.unwrap_or_else(|_| panic!("{name} is not done"));
    }
    names
}

async fn done(person: &Person, name: &str) {
    loop {
        let wait = WaitOperationRequest {
            name: name.to_owned(),
            timeout_ms: 1_000,
        };
        let answer = person.client.operation().wait_operation(wait).await;
        let operation = answer.unwrap().into_inner().operation.unwrap();
        assert_ne!(operation.state(), OperationState::Refused, "{operation:?}");
        if operation.state() == OperationState::Succeeded {
            return;
        }
        sleep(POLL).await;
    }
}

/// Waits until the ledger's state says that the database catches up, or does not.
async fn catches_up(gx: &Gx, person: &Person, expected: bool) {
    let shown = async {
        loop {
            let ledger = person.client.ledger().get_ledger(GetLedgerRequest {}).await;
            if ledger.unwrap().into_inner().catching_up == expected {
                return;
            }
            sleep(POLL).await;
        }
    };
    let shown = timeout(PATIENCE, shown).await;
    assert!(
        shown.is_ok(),
        "{:?}",
        gx.tool(&["projector", "status"]).await
    );
}

/// Waits until every partition has applied what any has: a credit may come a moment
/// after the outcome.
async fn level(person: &Person) {
    let level = async {
        loop {
            let ledger = person.client.ledger().get_ledger(GetLedgerRequest {}).await;
            let partitions = ledger.unwrap().into_inner().partitions;
            if partitions.iter().all(|one| one.lag_blocks == 0) {
                return;
            }
            sleep(POLL).await;
        }
    };
    timeout(PATIENCE, level).await.expect("partitions follow");
}

/// Sends transfers in batches until all are taken, or were before; the names of their
/// operations. None is refused meanwhile.
async fn taken(person: &Person, transfers: &[TransferRequest]) -> Vec<String> {
    let mut names = Vec::with_capacity(transfers.len());
    for transfers in transfers.chunks(BATCH) {
        let taken = async {
            loop {
                match together(person, transfers).await {
                    Ok(names) => return names,
                    Err(told) => assert!(told.iter().all(|one| one == CATCHING_UP), "{told:?}"),
                }
                sleep(POLL).await;
            }
        };
        let taken = timeout(PATIENCE, taken).await;
        names.extend(taken.expect("taken"));
    }
    names
}

/// Sends transfers in one batch: the names of their operations, or the reasons of those
/// that have none.
async fn together(
    person: &Person,
    transfers: &[TransferRequest],
) -> Result<Vec<String>, Vec<String>> {
    let batch = transfers.iter().cloned().map(|one| BatchedTransfer {
        request_id: one.request_id,
        receiver: one.receiver,
        amount_qirat: one.amount_qirat,
        max_fee_qirat: one.max_fee_qirat,
        reference: one.reference,
    });
    let results = person.batch(batch.collect()).await.expect("answered");
    let (mut names, mut reasons) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            batched_transfer_result::Result::Operation(operation) => names.push(operation.name),
            batched_transfer_result::Result::Error(status) => {
                assert_eq!(status.code, i32::from(Code::Unavailable));
                reasons.push(reason_in(&status));
            }
        }
    }
    if reasons.is_empty() {
        Ok(names)
    } else {
        Err(reasons)
    }
}

/// None of the transfers is known yet, and none is refused.
async fn nothing_is_taken(person: &Person, transfers: &[TransferRequest]) {
    let refused = person.send(transfers[0].clone()).await.unwrap_err();
    let refused = Refusal::of(&refused);
    assert_eq!(refused.told(), (Code::Unavailable, CATCHING_UP));
    assert!(refused.retry_ms.is_some());
    for transfers in transfers.chunks(BATCH) {
        let told = together(person, transfers).await.unwrap_err();
        assert_eq!(told, vec![CATCHING_UP; transfers.len()]);
    }
}

/// An operator sees that the database catches up.
async fn shows(gx: &Gx) {
    let (sound, told) = gx.tool(&["projector", "status"]).await;
    assert!(!sound && told.contains("went back"), "{told}");
    let degraded = async {
        loop {
            let (status, parts) = gx.ready().await;
            assert_eq!(status, 200, "reads are answered: {parts}");
            if parts.contains("not taken until the database has caught up") {
                return;
            }
            sleep(POLL).await;
        }
    };
    timeout(PATIENCE, degraded)
        .await
        .expect("readiness shows it");
}
