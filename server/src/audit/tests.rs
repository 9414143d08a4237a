//! The chain against whoever may write to the database.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder};

use super::{entity::line, *};
use crate::{
    clock::ManualClock,
    store::{DatabaseUrl, Store},
};

/// A line about something.
pub(crate) fn entry(subject: &str) -> Entry {
    Entry {
        actor: None,
        action: "test",
        subject: subject.to_owned(),
        outcome: "OK".to_owned(),
        request_id: String::new(),
        traceparent: None,
        client: String::new(),
        fabric_tx_id: None,
    }
}

/// Every line in the order of ids.
pub(crate) async fn lines(store: &Store) -> Vec<line::Model> {
    let lines = line::Entity::find().order_by_asc(line::Column::Id);
    lines.all(store.read()).await.unwrap()
}

async fn store() -> Store {
    Store::open(&DatabaseUrl::SqliteMemory).await.unwrap()
}

async fn record(store: &Store, subjects: &[&str]) {
    let tx = store.begin().await.unwrap();
    let entries = subjects.iter().map(|subject| entry(subject)).collect();
    record_in(&tx, 1_000, entries).await.unwrap();
    tx.commit().await.unwrap();
}

async fn execute(store: &Store, sql: &str) {
    let tx = store.begin().await.unwrap();
    tx.execute_unprepared(sql).await.unwrap();
    tx.commit().await.unwrap();
}

fn sealer(store: &Store, clock: &Arc<ManualClock>, owner: &str) -> Sealer {
    Sealer::new(store.clone(), clock.clone(), owner)
}

/// Five sealed lines.
async fn sealed() -> Store {
    let store = store().await;
    record(&store, &["a", "b", "c", "d", "e"]).await;
    let sealer = sealer(&store, &Arc::default(), "one");
    assert_eq!(sealer.step().await.unwrap(), Some(5));
    assert_eq!(
        verify(&store).await.unwrap(),
        Verification::Intact { lines: 5 }
    );
    store
}

#[tokio::test]
async fn an_empty_log_is_intact() {
    let store = store().await;
    assert_eq!(
        sealer(&store, &Arc::default(), "one").step().await.unwrap(),
        Some(0)
    );
    assert_eq!(
        verify(&store).await.unwrap(),
        Verification::Intact { lines: 0 }
    );
}

#[tokio::test]
async fn every_change_of_sealed_lines_is_found() {
    let cases = [
        ("update audit_log set subject = 'x' where sequence = 2", 2),
        (
            "update audit_log set actor = x'00000000000000000000000000000007' where sequence = 5",
            5,
        ),
        (
            "update audit_log set at_ms = at_ms + 1 where sequence = 1",
            1,
        ),
        ("delete from audit_log where sequence = 3", 3),
        ("delete from audit_log where sequence = 5", 5),
        ("delete from audit_log", 1),
        ("update audit_log set sequence = null where sequence = 4", 4),
        (
            "update audit_log set sequence = -1 where sequence = 2; \
             update audit_log set sequence = 2 where sequence = 3; \
             update audit_log set sequence = 3 where sequence = -1",
            2,
        ),
        (
            "insert into audit_log (at_ms, action, subject, outcome, request_id, client, \
             sequence, previous_hash, hash) \
             select at_ms, action, subject, outcome, request_id, client, 6, hash, hash \
             from audit_log where sequence = 5",
            6,
        ),
        (
            "insert into audit_log (at_ms, action, subject, outcome, request_id, client, sequence) \
             values (1, 'hidden', '', 'OK', '', '', 0)",
            0,
        ),
        (
            "insert into audit_log (at_ms, action, subject, outcome, request_id, client, sequence) \
             values (1, 'hidden', '', 'OK', '', '', -7)",
            -7,
        ),
        ("update audit_seal set sequence = 4", 5),
        ("update audit_seal set hash = x'00'", 5),
    ];
    for (sql, sequence) in cases {
        let store = sealed().await;
        execute(&store, sql).await;
        assert_eq!(
            verify(&store).await.unwrap(),
            Verification::Broken { sequence },
            "{sql}"
        );
    }
}

#[tokio::test]
async fn a_line_with_a_hash_made_anew_breaks_the_next_or_the_head() {
    for (altered, broken) in [(2_usize, 3), (5, 5)] {
        let store = sealed().await;
        let mut line = lines(&store).await.remove(altered - 1);
        line.subject = "forged".to_owned();
        let previous = line.previous_hash.clone().unwrap();
        let hash = chain::hash(&previous, line.sequence.unwrap(), &line);
        let sql = format!(
            "update audit_log set subject = 'forged', hash = x'{}' where id = {}",
            hex::encode(hash),
            line.id
        );
        execute(&store, &sql).await;
        let found = verify(&store).await.unwrap();
        assert_eq!(found, Verification::Broken { sequence: broken });
    }
}

#[tokio::test]
async fn lines_that_commit_late_find_their_place_at_the_end() {
    let store = store().await;
    record(&store, &["first", "late", "third"]).await;
    execute(
        &store,
        "create temp table late as select * from audit_log where id = 2; \
         delete from audit_log where id = 2",
    )
    .await;
    let sealer = sealer(&store, &Arc::default(), "one");
    assert_eq!(sealer.step().await.unwrap(), Some(2));
    execute(&store, "insert into audit_log select * from late").await;
    assert_eq!(sealer.step().await.unwrap(), Some(1));
    let places: Vec<_> = lines(&store)
        .await
        .iter()
        .map(|line| line.sequence)
        .collect();
    assert_eq!(places, [Some(1), Some(3), Some(2)]);
    assert_eq!(
        verify(&store).await.unwrap(),
        Verification::Intact { lines: 3 }
    );
}

#[tokio::test]
async fn one_process_seals_until_its_lease_ends() {
    let (store, clock) = (store().await, Arc::new(ManualClock::at(1_000)));
    let (one, two) = (sealer(&store, &clock, "one"), sealer(&store, &clock, "two"));
    record(&store, &["a"]).await;
    assert_eq!(one.step().await.unwrap(), Some(1));
    record(&store, &["b"]).await;
    assert_eq!(two.step().await.unwrap(), None);
    assert_eq!(one.step().await.unwrap(), Some(1));
    record(&store, &["c"]).await;
    clock.advance_ms(10_000);
    assert_eq!(two.step().await.unwrap(), Some(1));
    record(&store, &["d"]).await;
    assert_eq!(one.step().await.unwrap(), None);
    assert_eq!(two.step().await.unwrap(), Some(1));
    assert_eq!(
        verify(&store).await.unwrap(),
        Verification::Intact { lines: 4 }
    );
}

#[tokio::test]
async fn many_lines_take_several_steps() {
    let store = store().await;
    let subjects = vec!["x"; 1_201];
    record(&store, &subjects).await;
    let sealer = sealer(&store, &Arc::default(), "one");
    let mut sealed = Vec::new();
    while let Some(count @ 1..) = sealer.step().await.unwrap() {
        sealed.push(count);
    }
    assert_eq!(sealed, [500, 500, 201]);
    assert_eq!(
        verify(&store).await.unwrap(),
        Verification::Intact { lines: 1_201 }
    );
}
