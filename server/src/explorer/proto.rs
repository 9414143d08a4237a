//! Blocks, transactions and commands as clients see them.

use std::collections::HashMap;

use anyhow::{Context, anyhow};
use gx_proto::gx::{
    common::v1::Reason,
    contract::v1::{BatchCommitted, CommandOutcome as Outcome, Done, command_outcome, done},
    ledger::v1::{Block, Command, CommandOutcome, Posting, Transaction},
    operation::v1::OperationType,
};
use uuid::Uuid;

use super::{
    entity::{block, transaction},
    sight::Known,
    whole::Batch,
};
use crate::{
    auth::UserId,
    clock::timestamp,
    error::{Result, reason_name},
    outbox,
};

/// What an operation tells of its command.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) sender: Option<Uuid>,
    pub(super) kind: i32,
    pub(super) reason: Option<i32>,
}

/// A block without its transactions.
pub(super) fn block(row: block::Model) -> Result<Block> {
    let number = u64::try_from(row.number).context("a block below 0")?;
    Ok(Block {
        name: block_name(number),
        number,
        hash: hex::encode(row.hash),
        previous_hash: hex::encode(row.previous_hash),
        data_hash: hex::encode(row.data_hash),
        time: Some(timestamp(row.time_ms)),
        transaction_count: count(row.transactions)?,
        valid_transaction_count: count(row.valid)?,
        command_count: count(row.commands)?,
        transactions: Vec::new(),
    })
}

/// The resource name of a block.
pub(super) fn block_name(number: u64) -> String {
    format!("blocks/{number}")
}

/// The resource name of a transaction; empty if its id cannot be read.
pub(super) fn transaction_name(fabric_tx_id: &str) -> String {
    match fabric_tx_id {
        "" => String::new(),
        id => format!("transactions/{id}"),
    }
}

/// A transaction with all of its commands.
pub(super) fn batch(
    row: transaction::Model,
    event: BatchCommitted,
    records: &HashMap<Uuid, Record>,
    owners: &HashMap<String, UserId>,
) -> Result<Batch> {
    let first = u64::try_from(row.first_number).context("a number below 0")?;
    let outcomes = (first..).zip(event.outcomes);
    let commands = outcomes.map(|(number, outcome)| known(number, &outcome, records, owners));
    let commands = commands.collect::<Result<_>>()?;
    let transaction = Transaction {
        name: transaction_name(&row.fabric_tx_id),
        block: u64::try_from(row.block).context("a block below 0")?,
        index: count(row.position)?,
        validation_code: count(row.flag)?,
        lane: row.lane,
        first_number: first,
        command_count: count(row.commands)?,
        commands: Vec::new(),
    };
    Ok(Batch::new(transaction, commands))
}

fn known(
    number: u64,
    outcome: &Outcome,
    records: &HashMap<Uuid, Record>,
    owned: &HashMap<String, UserId>,
) -> Result<Known> {
    let id = Uuid::from_slice(&outcome.id).context("a command's id")?;
    let record = records.get(&id);
    let (told, done) = match &outcome.outcome {
        Some(command_outcome::Outcome::Done(done)) => (CommandOutcome::Done, Some(done)),
        Some(command_outcome::Outcome::Refused(_)) => (CommandOutcome::Refused, None),
        Some(command_outcome::Outcome::Voided(_)) => (CommandOutcome::Voided, None),
        None => return Err(anyhow!("command {number} has no outcome").into()),
    };
    let kind = record.and_then(|record| OperationType::try_from(record.kind).ok());
    let owners = done.into_iter().flat_map(accounts);
    Ok(Known {
        command: Command {
            operation: outbox::operation::name(id),
            number,
            r#type: kind.unwrap_or_default().into(),
            outcome: told.into(),
            reason: reason(told, record)
                .map(reason_name)
                .unwrap_or_default()
                .to_owned(),
            postings: done.map(postings).unwrap_or_default(),
        },
        sender: record.and_then(|record| record.sender),
        about: done.and_then(about).unwrap_or_default().to_owned(),
        owners: owners
            .filter_map(|account| owned.get(account))
            .map(|user| user.0)
            .collect(),
    })
}

/// Why a command did not take effect.
fn reason(outcome: CommandOutcome, record: Option<&Record>) -> Option<Reason> {
    let recorded = record.and_then(|record| Reason::try_from(record.reason?).ok());
    match outcome {
        CommandOutcome::Voided => Some(Reason::Voided),
        CommandOutcome::Refused => Some(recorded.unwrap_or(Reason::ChainRefused)),
        CommandOutcome::Done | CommandOutcome::Unspecified => None,
    }
}

/// The accounts that a command is about.
pub(super) fn accounts(done: &Done) -> impl Iterator<Item = &str> {
    let posted = done.postings.iter().map(|posting| posting.account.as_str());
    posted.chain(about(done))
}

/// The account of a fact that may move no coins. All others are seen by their
/// postings.
fn about(done: &Done) -> Option<&str> {
    match &done.fact {
        Some(done::Fact::AccountCreated(fact)) => Some(&fact.account),
        Some(done::Fact::AccountFolded(fact)) => Some(&fact.account),
        _ => None,
    }
}

fn postings(done: &Done) -> Vec<Posting> {
    let postings = done.postings.iter().map(|posting| Posting {
        account: posting.account.clone(),
        delta_qirat: posting.delta_qirat,
        // The chain's kinds have the numbers of the wallet's.
        kind: posting.kind,
        counterparty: posting.counterparty.clone(),
    });
    postings.collect()
}

fn count(column: i32) -> Result<u32> {
    Ok(u32::try_from(column).context("a count below 0")?)
}
