//! The database is lost, and put back from a backup that is many transfers old. With
//! `gx restored` or without it no command is taken before the read model is at the
//! chain's end again; then it is what it was before the loss, and what clients ask again
//! under their request_ids is answered by the same operations and changes nothing.

use std::time::Duration;

use gx_proto::gx::{
    ledger::v1::GetLedgerRequest,
    operation::v1::{OperationState, WaitOperationRequest},
    wallet::v1::TransferRequest,
};
use tokio::time::{sleep, timeout};
use tonic::Code;

use crate::harness::{Database, GX, Gx, Now, PATIENCE, Payer, Person, Refusal};

/// Transfers that the backup does not have.
const LOST: usize = 200;
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
    let mut lost: Vec<_> = (1..LOST).map(|_| ann.to(&bee.account, 1, GX)).collect();
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

/// The person, who sends the same request until it is answered.
fn patient(person: &Person) -> Payer {
    Payer::new(person, &Now::new(person.client.clone()))
}

/// Sends transfers until they are taken, and waits until the chain has done them; the
/// names of their operations.
async fn succeed(person: &Person, transfers: &[TransferRequest]) -> Vec<String> {
    let names = patient(person).send(transfers).await;
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

async fn nothing_is_taken(person: &Person, transfers: &[TransferRequest]) {
    for transfer in transfers {
        let refused = person.send(transfer.clone()).await.unwrap_err();
        let refused = Refusal::of(&refused);
        assert_eq!(refused.told(), (Code::Unavailable, "CATCHING_UP"));
        assert!(refused.retry_ms.is_some());
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
