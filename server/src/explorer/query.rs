//! Reads of whole blocks: rows, the events in them, and what operations and the
//! directory know of their commands.

use std::collections::HashMap;

use anyhow::{Context, anyhow};
use gx_proto::gx::contract::v1::{BatchCommitted, command_outcome::Outcome};
use prost::Message;
use sea_orm::{ConnectionTrait, QuerySelect, entity::prelude::*};

use super::{
    entity::{block, transaction},
    proto::{self, Record},
    whole::{Batch, Whole},
};
use crate::{auth::UserId, directory, error::Result, outbox::entity::operation, store::bulk};

/// Most blocks of one read.
const PAGE_BLOCKS: u64 = 50;
/// Commands from which on a read takes no further block.
const PAGE_COMMANDS: i32 = 1_000;

/// Blocks from `from` on and below `end`: at least one, and no more than a page.
///
/// # Errors
/// If one of them is not there, or the database fails.
pub(super) async fn page(db: &impl ConnectionTrait, from: u64, end: u64) -> Result<Vec<Whole>> {
    let from = i64::try_from(from).context("a block's number")?;
    let end = i64::try_from(end).context("a block's number")?;
    let mut rows = block::Entity::range(from, end, PAGE_BLOCKS).all(db).await?;
    for (number, row) in (from..).zip(&rows) {
        if row.number != number {
            return Err(anyhow!("block {number} is missing").into());
        }
    }
    if rows.is_empty() {
        return Err(anyhow!("block {from} is missing").into());
    }
    let mut commands = 0;
    let fit = rows.iter().take_while(|row| {
        let fits = commands < PAGE_COMMANDS;
        commands += row.commands;
        fits
    });
    rows.truncate(fit.count());
    whole(db, rows).await
}

/// Blocks with everything in them.
pub(super) async fn whole(
    db: &impl ConnectionTrait,
    rows: Vec<block::Model>,
) -> Result<Vec<Whole>> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return Ok(Vec::new());
    };
    let transactions = transaction::Entity::of_blocks(first.number, last.number);
    let mut batches = batches(db, transactions.all(db).await?)
        .await?
        .into_iter()
        .peekable();
    let mut blocks = Vec::with_capacity(rows.len());
    for row in rows {
        let block = proto::block(row)?;
        let mut own = Vec::new();
        while let Some(batch) = batches.next_if(|batch| batch.transaction.block == block.number) {
            own.push(batch);
        }
        blocks.push(Whole {
            block,
            batches: own,
        });
    }
    Ok(blocks)
}

/// Transactions with all of their commands.
pub(super) async fn batches(
    db: &impl ConnectionTrait,
    rows: Vec<transaction::Model>,
) -> Result<Vec<Batch>> {
    let mut events = Vec::with_capacity(rows.len());
    for row in &rows {
        let event = row.event.as_deref().map(BatchCommitted::decode);
        events.push(event.transpose().context("an event that is stored")?);
    }
    let records = records(db, &events).await?;
    let owners = owners(db, &events).await?;
    rows.into_iter()
        .zip(events)
        .map(|(row, event)| proto::batch(row, event.unwrap_or_default(), &records, &owners))
        .collect()
}

/// What operations tell of the commands.
async fn records(
    db: &impl ConnectionTrait,
    events: &[Option<BatchCommitted>],
) -> Result<HashMap<Uuid, Record>> {
    let commands = events.iter().flatten().flat_map(|event| &event.outcomes);
    let ids = commands.map(|command| Uuid::from_slice(&command.id));
    let ids = ids
        .collect::<Result<Vec<_>, _>>()
        .context("a command's id")?;
    let mut records = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(bulk::rows_of(1)) {
        use operation::Column::{Id, Kind, Owner, Reason};
        let rows: Vec<(Uuid, Option<String>, i32, Option<i32>)> = operation::Entity::find()
            .select_only()
            .columns([Id, Owner, Kind, Reason])
            .filter(bulk::among(db, Id, chunk.iter().copied()))
            .into_tuple()
            .all(db)
            .await?;
        let known = rows.into_iter().map(|(id, owner, kind, reason)| {
            let sender = owner.and_then(|owner| Uuid::try_parse(&owner).ok());
            let record = Record {
                sender,
                kind,
                reason,
            };
            (id, record)
        });
        records.extend(known);
    }
    Ok(records)
}

/// Whose the accounts are that the commands are about.
async fn owners(
    db: &impl ConnectionTrait,
    events: &[Option<BatchCommitted>],
) -> Result<HashMap<String, UserId>> {
    let commands = events.iter().flatten().flat_map(|event| &event.outcomes);
    let done = commands.filter_map(|command| match &command.outcome {
        Some(Outcome::Done(done)) => Some(done),
        _ => None,
    });
    directory::owner_in(db, done.flat_map(proto::accounts)).await
}
