//! Streams that are cut while transfers go on, and what each reader sees.

use std::collections::BTreeSet;

use gx_proto::gx::{
    identity::v1::Role,
    ledger::v1::{Block, GetBlockRequest, GetTransactionRequest, StreamBlocksRequest},
    operation::v1::{Operation, OperationState},
};

use super::{Blocks, commands, transfers};
use crate::harness::{Client, Database, GX, Gx, Person, block_of, transaction_of};

/// Transfers that go on meanwhile.
const TRANSFERS: usize = 60;

/// Sends one transfer after the other and answers their operations.
async fn paying(from: Person, to: String) -> Vec<Operation> {
    let mut paid = Vec::new();
    for _ in 0..TRANSFERS {
        let operation = from.pay(from.to(&to, GX / 1_000, 0)).await;
        assert_eq!(operation.state(), OperationState::Succeeded);
        paid.push(operation);
    }
    paid
}

/// Reads up to a block that is told meanwhile, and cuts the stream after every few
/// messages; answers the blocks that were sent.
async fn in_pieces(mut stream: Blocks, until: tokio::sync::oneshot::Receiver<u64>) -> Vec<Block> {
    let mut blocks = Vec::new();
    let (mut last, mut until) = (u64::MAX, Some(until));
    for piece in (1..4).cycle() {
        for _ in 0..piece {
            if let Some(block) = stream.next().await.expect("a block") {
                blocks.push(block);
            }
            if let Some(told) = until.as_mut().and_then(|until| until.try_recv().ok()) {
                (last, until) = (told, None);
            }
            if stream.request.from_block > last {
                return blocks;
            }
        }
        stream = stream.again().await;
    }
    unreachable!("pieces never end")
}

async fn cut_streams_miss_and_repeat_nothing(database: Database) {
    let gx = Gx::start(database).await;
    let (ann, bee, cem) = (
        gx.person("DE").await,
        gx.person("DE").await,
        gx.person("DE").await,
    );
    let auditor = gx.caller(&[Role::Auditor]).await.client;
    let all = Blocks::from(&auditor, 0).await;
    let own = StreamBlocksRequest {
        account: ann.account.clone(),
        ..StreamBlocksRequest::default()
    };
    let own = Blocks::open(&ann.client, own).await.expect("a stream");
    let foreign = Blocks::from(&cem.client, 0).await;
    let received = Blocks::from(&bee.client, 0).await;

    let mut tell = Vec::new();
    let read = [all, own, foreign, received].map(|stream| {
        let (teller, until) = tokio::sync::oneshot::channel();
        tell.push(teller);
        tokio::spawn(in_pieces(stream, until))
    });
    let paid = paying(ann.clone(), bee.account.clone()).await;
    let last = paid.iter().map(block_of).max().expect("transfers");
    for teller in tell {
        teller.send(last).expect("a reader");
    }
    // Whoever waits has another block to come to.
    ann.pay(ann.to(&bee.account, GX / 1_000, 0)).await;
    let mut seen = Vec::new();
    for reader in read {
        let blocks = reader.await.expect("read");
        let blocks = blocks.into_iter().filter(|block| block.number <= last);
        seen.push(blocks.collect::<Vec<_>>());
    }
    let [all, own, foreign, received] = seen.try_into().expect("four readers");

    let paid: Vec<_> = paid.into_iter().map(|operation| operation.name).collect();
    let names: BTreeSet<_> = paid.iter().cloned().collect();
    is_the_chain(&all, last);
    sees_each_once(all, &names);
    sees_each_once(own, &names);
    is_the_chain(&foreign, last);
    sees_counts_alone(foreign);
    let received = transfers(&received.into_iter().flat_map(commands).collect::<Vec<_>>());
    assert_eq!(received, vec![String::new(); TRANSFERS], "not the names");
}

/// Every block once, each naming the one before.
fn is_the_chain(blocks: &[Block], last: u64) {
    let numbers = blocks.iter().map(|block| block.number);
    assert!(numbers.eq(0..=last), "every block once");
    let linked = |pair: &[Block]| pair[1].previous_hash == pair[0].hash;
    assert!(blocks.windows(2).all(linked));
}

/// The transfers, each once and in the order of their lane.
fn sees_each_once(blocks: Vec<Block>, names: &BTreeSet<String>) {
    let commands: Vec<_> = blocks.into_iter().flat_map(commands).collect();
    let seen = transfers(&commands);
    assert_eq!(seen.len(), TRANSFERS);
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), *names);
}

fn sees_counts_alone(blocks: Vec<Block>) {
    let counted: u32 = blocks.iter().map(|block| block.command_count).sum();
    assert!(usize::try_from(counted).unwrap() >= TRANSFERS);
    let seen: Vec<_> = blocks.into_iter().flat_map(commands).collect();
    assert_eq!(seen.len(), 1, "the own account's making alone: {seen:?}");
}

#[tokio::test]
async fn cut_streams_miss_and_repeat_nothing_on_sqlite() {
    cut_streams_miss_and_repeat_nothing(Database::Sqlite).await;
}

#[tokio::test]
async fn cut_streams_miss_and_repeat_nothing_on_postgres() {
    cut_streams_miss_and_repeat_nothing(Database::Postgres).await;
}

async fn transaction(client: &Client, operation: &Operation) -> (u32, usize) {
    let request = GetTransactionRequest {
        name: transaction_of(operation),
        min_block: block_of(operation),
    };
    let answer = client.ledger().get_transaction(request).await;
    let transaction = answer.expect("read").into_inner().transaction;
    let transaction = transaction.expect("a transaction");
    assert_eq!(transaction.block, block_of(operation));
    (transaction.command_count, transaction.commands.len())
}

#[tokio::test]
async fn transaction_and_block_of_others_show_their_counts() {
    let gx = Gx::start(Database::Sqlite).await;
    let (ann, bee, cem) = (
        gx.person("DE").await,
        gx.person("DE").await,
        gx.person("DE").await,
    );
    let paid = ann.pay(ann.to(&bee.account, GX, 0)).await;
    for (client, shown) in [(&ann.client, 1), (&bee.client, 1), (&cem.client, 0)] {
        assert_eq!(transaction(client, &paid).await, (1, shown));
    }
    let request = GetBlockRequest {
        name: format!("blocks/{}", block_of(&paid)),
        min_block: 0,
    };
    let block = cem.client.ledger().get_block(request).await;
    let block = block.expect("read").into_inner().block.expect("a block");
    assert_eq!((block.command_count, commands(block).len()), (1, 0));
}
