//! A thousand open streams while transfers go on, one of which nobody reads.

use gx_proto::gx::{
    identity::v1::Role,
    operation::v1::{OperationState, OperationType, WatchOperationRequest, WatchOperationResponse},
};
use gx_server::{
    id::random_uuid,
    outbox::{self, entity::operation},
};
use sea_orm::{EntityTrait, Set};
use tokio::{sync::mpsc, task::JoinSet};
use tonic::{Code, Status, Streaming};

use super::Blocks;
use crate::harness::{Client, Database, GX, Gx, Person, Refusal, block_of};

/// Streams of each kind.
const EACH: usize = 500;
/// Streams of one connection.
const OF_ONE: usize = 100;
/// Transfers that go on meanwhile; their blocks are more than a slow connection
/// takes ahead.
const TRANSFERS: usize = 20;

const SETTINGS: &[(&str, &str)] = &[
    ("GX_LIMITS__CALLER_WATCHES", "1000"),
    ("GX_LIMITS__DRAIN_MS", "30000"),
];

/// An operation of a person that nothing ever carries to the ledger.
async fn undecided(gx: &Gx, person: &Person) -> String {
    let id = random_uuid();
    let row = operation::ActiveModel {
        id: Set(id),
        owner: Set(person.name.strip_prefix("users/").map(str::to_owned)),
        request_id: Set(Some(id)),
        request_digest: Set(vec![0; 32]),
        kind: Set(OperationType::Transfer.into()),
        state: Set(OperationState::Accepted.into()),
        lane: Set("partner/0".to_owned()),
        created_ms: Set(0),
        ..operation::ActiveModel::default()
    };
    let tx = gx.store().await.begin().await.expect("a transaction");
    let row = operation::Entity::insert(row);
    row.exec_without_returning(&tx).await.expect("a row");
    tx.commit().await.expect("a commit");
    outbox::operation::name(id)
}

/// Reads blocks to the stream's end, and tells of each that it has.
async fn read(mut stream: Blocks, seen: mpsc::UnboundedSender<u64>) -> Status {
    loop {
        match stream.next().await {
            Ok(Some(block)) => seen.send(block.number).unwrap_or_default(),
            Ok(None) => {}
            Err(end) => return end,
        }
    }
}

/// Watches an operation to the stream's end.
async fn watch(mut stream: Streaming<WatchOperationResponse>) -> Status {
    loop {
        match stream.message().await {
            Ok(told) => assert!(told.is_some(), "it has no outcome"),
            Err(end) => return end,
        }
    }
}

/// Whether a stream was told to come back.
fn is_told_to_leave(end: &Status) {
    let refusal = Refusal::of(end);
    assert_eq!(
        refusal.told(),
        (Code::Unavailable, "UNAVAILABLE"),
        "{end:?}"
    );
    assert!(refusal.retry_ms.is_some_and(|ms| ms > 0), "{refusal:?}");
}

/// A connection for every so many streams.
fn connections(gx: &Gx, client: &Client) -> impl Iterator<Item = Client> {
    let each = (0..EACH / OF_ONE).map(|_| client.over(&gx.connect()));
    each.collect::<Vec<_>>()
        .into_iter()
        .flat_map(|client| std::iter::repeat_n(client, OF_ONE))
}

async fn thousand_streams_hold_up_nobody(database: Database) {
    let mut gx = Gx::start_with(database, SETTINGS).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let auditor = gx.caller(&[Role::Auditor]).await.client;
    let name = undecided(&gx, &ann).await;

    let slow = auditor.over(&Client::slow_to(gx.port()));
    let mut slow = Blocks::from(&slow, 0).await;
    let (teller, mut seen) = mpsc::unbounded_channel();
    let mut streams = JoinSet::new();
    for client in connections(&gx, &auditor) {
        streams.spawn(read(Blocks::from(&client, 0).await, teller.clone()));
    }
    for client in connections(&gx, &ann.client) {
        let name = name.clone();
        let request = WatchOperationRequest { name };
        let stream = client.operation().watch_operation(request).await;
        streams.spawn(watch(stream.expect("a stream").into_inner()));
    }
    assert_eq!(gx.metric("gx_watches_open").await, 1_001.0);

    let mut last = 0;
    for _ in 0..TRANSFERS {
        last = block_of(&ann.pay(ann.to(&bee.account, GX, 0)).await);
    }
    // All others see the last block while nobody reads the slow one.
    let mut arrived = 0;
    while arrived < EACH {
        let number = seen.recv().await.expect("a reader");
        arrived += usize::from(number == last);
    }

    let stopped = tokio::spawn(async move { gx.stop().await });
    while let Some(end) = streams.join_next().await {
        is_told_to_leave(&end.expect("read"));
    }
    // What the slow one was spared is in order, and it is told to leave as well.
    let mut numbers = Vec::new();
    let end = loop {
        match slow.next().await {
            Ok(block) => numbers.extend(block.map(|block| block.number)),
            Err(end) => break end,
        }
    };
    is_told_to_leave(&end);
    let read = u64::try_from(numbers.len()).expect("a number");
    assert!(numbers.into_iter().eq(0..read) && read < last, "{read}");
    assert!(stopped.await.expect("stopped").success());
}

#[tokio::test]
async fn thousand_streams_hold_up_nobody_on_sqlite() {
    thousand_streams_hold_up_nobody(Database::Sqlite).await;
}

#[tokio::test]
async fn thousand_streams_hold_up_nobody_on_postgres() {
    thousand_streams_hold_up_nobody(Database::Postgres).await;
}
