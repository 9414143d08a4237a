//! What is read of blocks, on a small chain of rows that stand there as the
//! projection writes them.

mod reads;
mod streams;

use gx_proto::gx::{
    contract::v1::{
        BatchCommitted, CommandOutcome, Done, Lane, Posting, PostingKind, Refused, Transferred,
        command_outcome::Outcome, done::Fact,
    },
    ledger::v1::Block,
    operation::v1::OperationState,
};
use prost::Message;
use uuid::Uuid;

use super::{
    entity::{block, transaction},
    projection::shown_in,
};
use crate::{app::App, auth::Caller, fixture};

/// A batch of one transfer a pair of accounts; the first commands' number is the
/// block's.
fn transfers(number: i64, pairs: &[(&str, &str)]) -> BatchCommitted {
    let outcomes = pairs.iter().zip(0u128..).map(|((from, to), place)| {
        let posting = |account: &str, delta_qirat, other: &str| Posting {
            account: account.to_owned(),
            delta_qirat,
            kind: PostingKind::Transfer.into(),
            counterparty: other.to_owned(),
        };
        let done = Done {
            postings: vec![posting(from, -1, to), posting(to, 1, from)],
            fact: Some(Fact::Transferred(Transferred::default())),
        };
        CommandOutcome {
            id: id(number, place).as_bytes().to_vec().into(),
            request_digest: vec![0; 32].into(),
            outcome: Some(Outcome::Done(done)),
        }
    });
    BatchCommitted {
        lane: Some(Lane {
            domain: 1,
            number: 0,
        }),
        first_sequence: number.unsigned_abs(),
        outcomes: outcomes.collect(),
        ..BatchCommitted::default()
    }
}

/// A command's id by its block and its place in it.
fn id(number: i64, place: u128) -> Uuid {
    Uuid::from_u128((u128::from(number.unsigned_abs()) << 16) + place)
}

/// Makes a command of a batch one that the rules refused.
fn refused(mut batch: BatchCommitted, place: usize) -> BatchCommitted {
    batch.outcomes[place].outcome = Some(Outcome::Refused(Refused::default()));
    batch
}

/// The id of a block's transaction.
fn tx_id(number: i64) -> String {
    format!("{number:064x}")
}

/// Writes a block with one transaction and moves no checkpoint.
async fn write(app: &App, number: i64, event: Option<BatchCommitted>) {
    let commands = event.as_ref().map_or(0, |event| event.outcomes.len());
    let commands = i32::try_from(commands).unwrap();
    let block = block::Model {
        number,
        hash: vec![u8::try_from(number % 256).unwrap(); 32],
        previous_hash: vec![0; 32],
        data_hash: vec![1; 32],
        time_ms: fixture::NOW_MS + number,
        transactions: 1,
        valid: i32::from(event.is_some()),
        commands,
    };
    let transaction = transaction::Model {
        block: number,
        position: 0,
        fabric_tx_id: tx_id(number),
        flag: if event.is_some() { 0 } else { 11 },
        lane: "partner/0".to_owned(),
        first_number: number,
        commands,
        event: event.map(|event| event.encode_to_vec()),
    };
    let tx = app.store.begin().await.unwrap();
    shown_in(&tx, &[block], &[transaction]).await.unwrap();
    tx.commit().await.unwrap();
}

/// Writes the record of a command that a user sent.
async fn record(app: &App, id: Uuid, sender: &Caller) {
    let row = fixture::transfer(id, sender, OperationState::Succeeded);
    fixture::record(app, row).await;
}

/// The numbers in the lane of the commands that a block shows.
fn shown(block: &Block) -> Vec<u64> {
    let transactions = block.transactions.iter();
    let commands = transactions.flat_map(|transaction| &transaction.commands);
    commands.map(|command| command.number).collect()
}
