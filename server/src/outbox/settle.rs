//! Settling: a command's outcome, as a block tells it, becomes its operation's for
//! good. Called by the projector alone.

use std::collections::{BTreeMap, BTreeSet};

use gx_proto::gx::{
    common::v1::Reason,
    operation::v1::{OperationResult, OperationState, OperationType},
};
use prost::Message;
use sea_orm::{
    ActiveValue::Set,
    DatabaseTransaction, FromQueryResult, Iterable, QueryOrder, QuerySelect,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, OnConflict},
};

use super::{
    Refusal,
    entity::{operation, row},
};
use crate::{
    audit,
    error::{Result, reason_name},
    fault::{self, Fault},
    store::{Lock, bulk},
    telemetry::metrics::SETTLED_TWICE,
};

/// What a block says of one command.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The command's id.
    pub id: Uuid,
    /// Its request digest.
    pub request_digest: Vec<u8>,
    /// What kind it is, as far as its facts tell.
    pub kind: OperationType,
    /// What became of it.
    pub outcome: Outcome,
    /// The lane.
    pub lane: String,
    /// Its number in the lane.
    pub number: i64,
    /// The Fabric transaction.
    pub fabric_tx_id: String,
    /// The block.
    pub block: i64,
}

/// What became of a command.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It took effect.
    Done(OperationResult),
    /// The rules refused it.
    Refused(Refusal),
    /// A Void took its number.
    Voided,
}

/// What settling found.
#[derive(Debug, Default)]
pub struct Settling {
    /// What the commands held, by account; to be released in the same transaction.
    pub held: Vec<(String, i64)>,
    /// The operations that were settled now and did not take effect, and why.
    pub failed: Vec<(Uuid, Refusal)>,
}

/// Settles commands. An id that is met a second time keeps its outcome and pages.
///
/// # Errors
/// If the database fails.
pub async fn settle_in(
    tx: &DatabaseTransaction,
    commands: &[Settled],
    now_ms: i64,
) -> Result<Settling> {
    if commands.is_empty() {
        return Ok(Settling::default());
    }
    let mut sorted: Vec<&Settled> = commands.iter().collect();
    sorted.sort_by_key(|command| command.id);
    // First every id is inserted: an intake's uncommitted row is waited for, not
    // overlooked. Only later statements look at what was there.
    let rows = bulk::rows_of(operation::Column::iter().count());
    let mut unknown = BTreeSet::new();
    for chunk in sorted.chunks(rows) {
        unknown.extend(insert_in(tx, chunk, now_ms).await?);
    }
    let mut known = sorted.clone();
    known.retain(|one| !unknown.contains(&one.id));
    known.dedup_by_key(|one| one.id);
    let mut settled = BTreeSet::new();
    for chunk in known.chunks(rows) {
        settled.extend(update_in(tx, chunk, now_ms).await?);
    }
    met_twice(&sorted, &unknown, &settled);
    let failed = sorted.iter().filter(|one| settled.contains(&one.id));
    let failed = failed.filter_map(|one| Some((one.id, one.outcome.refusal()?)));
    let failed = failed.collect();
    let mut rows = BTreeMap::new();
    for chunk in sorted.chunks(bulk::rows_of(1)) {
        rows.extend(rows_in(tx, chunk).await?);
    }
    record_in(tx, &sorted, &rows, now_ms).await?;
    Ok(Settling {
        failed,
        held: take_in(tx, &sorted, rows, &settled).await?,
    })
}

/// Pages for commands that were settled before, or twice in one group.
fn met_twice(sorted: &[&Settled], unknown: &BTreeSet<Uuid>, settled: &BTreeSet<Uuid>) {
    let mut previous = None;
    for one in sorted {
        let first = previous.replace(one.id) != Some(one.id);
        if !first || !(unknown.contains(&one.id) || settled.contains(&one.id)) {
            tracing::error!(command.id = %one.id.simple(), block = one.block, "command met a second time");
            metrics::counter!(SETTLED_TWICE).increment(1);
        }
    }
}

impl Outcome {
    /// Why the command did not take effect; `None` if it did.
    fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Done(_) => None,
            Self::Refused(refusal) => Some(refusal.clone()),
            Self::Voided => Some(Refusal::new(Reason::Voided)),
        }
    }

    /// The name of the reason, if the command did not take effect.
    fn reason(&self) -> Option<&'static str> {
        self.refusal().map(|refusal| reason_name(refusal.reason))
    }
}

async fn insert_in(
    tx: &DatabaseTransaction,
    commands: &[&Settled],
    now_ms: i64,
) -> Result<BTreeSet<Uuid>> {
    let rows = commands.iter().map(|command| active(command, now_ms));
    let rows: Vec<_> = rows.collect();
    Ok(operation::insert_those_missing_in(tx, &rows).await?)
}

/// Writes outcomes where the chain has told none, in one statement. A refusal at the
/// door gives way: a database that went back may have refused what the chain did.
async fn update_in(
    tx: &DatabaseTransaction,
    commands: &[&Settled],
    now_ms: i64,
) -> Result<BTreeSet<Uuid>> {
    use operation::Column::{Block, FabricTxId, Number, ReasonMetadata, Result, SettledMs, State};
    if commands.is_empty() {
        return Ok(BTreeSet::new());
    }
    let ids = commands.iter().map(|command| command.id);
    let lock = operation::Entity::find()
        .select_only()
        .column(operation::Column::Id)
        .filter(bulk::among(tx, operation::Column::Id, ids))
        .order_by_asc(operation::Column::Id)
        .for_update();
    lock.into_tuple::<Uuid>().all(tx).await?;
    let outcome = OnConflict::column(operation::Column::Id)
        .update_columns([
            State,
            operation::Column::Reason,
            ReasonMetadata,
            Result,
            Number,
            FabricTxId,
            Block,
            SettledMs,
        ])
        .action_and_where(Expr::col((operation::Entity, operation::Column::Number)).is_null())
        .to_owned();
    let rows = commands.iter().map(|command| active(command, now_ms));
    let rows: Vec<_> = rows.collect();
    Ok(operation::insert_or_in(tx, &rows, &outcome).await?)
}

/// What settling needs of a row of the outbox.
#[derive(Debug, FromQueryResult)]
struct Taken {
    id: Uuid,
    held_account: Option<String>,
    held_qirat: i64,
    traceparent: Option<String>,
}

/// Locks the outbox rows of the commands.
async fn rows_in(tx: &DatabaseTransaction, commands: &[&Settled]) -> Result<BTreeMap<Uuid, Taken>> {
    use row::Column::{HeldAccount, HeldQirat, Id, Traceparent};
    let rows = row::Entity::find()
        .select_only()
        .columns([Id, HeldAccount, HeldQirat, Traceparent])
        .filter(bulk::among(
            tx,
            row::Column::Id,
            commands.iter().map(|command| command.id),
        ))
        .order_by_asc(row::Column::Id)
        .for_update()
        .into_model::<Taken>()
        .all(tx)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Writes a line of the audit log a command: the trace ends here, and the Fabric
/// transaction stands beside what was asked.
async fn record_in(
    tx: &DatabaseTransaction,
    commands: &[&Settled],
    rows: &BTreeMap<Uuid, Taken>,
    now_ms: i64,
) -> Result<()> {
    let entries = commands.iter().map(|command| audit::Entry {
        outcome: command.outcome.reason().unwrap_or("OK").to_owned(),
        traceparent: rows
            .get(&command.id)
            .and_then(|row| row.traceparent.clone()),
        fabric_tx_id: Some(command.fabric_tx_id.clone()),
        ..audit::Entry::of_system("settle", super::operation::name(command.id))
    });
    audit::record_in(tx, now_ms, entries.collect()).await
}

/// Removes the bodies of settled commands, or keeps those that were voided, and
/// tells what they held.
async fn take_in(
    tx: &DatabaseTransaction,
    commands: &[&Settled],
    rows: BTreeMap<Uuid, Taken>,
    settled: &BTreeSet<Uuid>,
) -> Result<Vec<(String, i64)>> {
    let mut held = BTreeMap::<_, i64>::new();
    for row in rows.values().filter(|row| settled.contains(&row.id)) {
        if let Some(account) = &row.held_account {
            *held.entry(account.clone()).or_default() += row.held_qirat;
            if fault::planted(Fault::ReleasedTwice) {
                *held.entry(account.clone()).or_default() += row.held_qirat;
            }
        }
    }
    let (voided, done): (Vec<&&Settled>, Vec<&&Settled>) = commands
        .iter()
        .partition(|command| matches!(command.outcome, Outcome::Voided));
    for chunk in done.chunks(bulk::rows_of(1)) {
        row::Entity::delete_many()
            .filter(bulk::among(
                tx,
                row::Column::Id,
                chunk.iter().map(|command| command.id),
            ))
            .exec(tx)
            .await?;
    }
    for chunk in voided.chunks(bulk::rows_of(1)) {
        row::Entity::update_many()
            .col_expr(row::Column::Voided, true.into())
            .filter(bulk::among(
                tx,
                row::Column::Id,
                chunk.iter().map(|command| command.id),
            ))
            .exec(tx)
            .await?;
    }
    Ok(held.into_iter().collect())
}

fn active(command: &Settled, now_ms: i64) -> operation::ActiveModel {
    let (state, reason, metadata, result) = match &command.outcome {
        Outcome::Done(result) => (
            OperationState::Succeeded,
            None,
            None,
            Some(result.encode_to_vec()),
        ),
        Outcome::Refused(refusal) => (
            OperationState::Refused,
            Some(refusal.reason.into()),
            Some(refusal.metadata_json()),
            None,
        ),
        Outcome::Voided => {
            let reason = Reason::Voided;
            (OperationState::Refused, Some(reason.into()), None, None)
        }
    };
    operation::ActiveModel {
        id: Set(command.id),
        owner: Set(None),
        request_id: Set(None),
        request_digest: Set(command.request_digest.clone()),
        kind: Set(command.kind.into()),
        state: Set(state.into()),
        reason: Set(reason),
        reason_metadata: Set(metadata),
        result: Set(result),
        memo: Set(None),
        lane: Set(command.lane.clone()),
        number: Set(Some(command.number)),
        fabric_tx_id: Set(Some(command.fabric_tx_id.clone())),
        block: Set(Some(command.block)),
        created_ms: Set(now_ms),
        submitted_ms: Set(None),
        settled_ms: Set(Some(now_ms)),
    }
}
