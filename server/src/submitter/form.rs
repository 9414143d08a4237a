//! Forming: the oldest pending commands of a lane get their numbers, durably,
//! before anything is sent.

use gx_contract::lane::LaneName;
use gx_proto::gx::{
    contract::v1::{AccountCredits, Batch, Command, Void, command::Body},
    operation::v1::OperationState,
};
use prost::Message;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, QueryOrder, QuerySelect, QueryTrait, Select,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, Query},
};

use super::{Parts, credits};
use crate::{
    error::Result,
    fault::{self, Fault},
    outbox::{
        entity::{control, lane, operation, row},
        lanes::{self, Cursor},
    },
    store::{
        Front, Lock,
        bulk::{self, FIRST, GIVEN, SECOND},
    },
};

/// A batch is cut before it grows over this many bytes: blocks of networks are cut
/// at two million by default.
const BATCH_BYTES: usize = 1_000_000;

/// The version of the rules that this build forms batches for.
const RULES_VERSION: u32 = 1;

/// A batch whose commands have their numbers.
#[derive(Debug, Clone)]
pub(super) struct Formed {
    /// The place that it is formed on.
    pub(super) base: Cursor,
    /// The place after its last command.
    pub(super) end: Cursor,
    /// What is sent.
    pub(super) batch: Batch,
    /// Its commands' ids in order.
    pub(super) ids: Vec<Uuid>,
    /// Whether every command of it is a Void.
    pub(super) voids_only: bool,
}

/// What forming came to.
#[derive(Debug)]
pub(super) enum Forming {
    /// A batch.
    Batch(Box<Formed>),
    /// No command waits.
    Nothing,
    /// The read model must first see what was formed before.
    Behind,
    /// The database follows the ledger; no batch is formed.
    CatchingUp,
    /// The lease is lost, or the lane is not at the base.
    Elsewhere,
}

/// Forms a batch of at most `limit` commands on `base`.
pub(super) async fn form(
    parts: &Parts,
    lane: LaneName,
    token: Uuid,
    base: Cursor,
    limit: usize,
    front: &Front,
) -> Result<Forming> {
    let name = lane.to_string();
    let first = match look(parts, &name, token, base, front).await? {
        Look::First(position) => position,
        Look::Nothing => return Ok(Forming::Nothing),
        Look::Elsewhere => return Ok(Forming::Elsewhere),
    };
    let tx = parts.store.begin().await?;
    let control = control::Entity::find_by_id(1).for_share().one(&tx).await?;
    if control.is_none_or(|control| control.catching_up()) {
        return Ok(Forming::CatchingUp);
    }
    let Some(row) = lanes::lock_in(&tx, &name, token).await? else {
        return Ok(Forming::Elsewhere);
    };
    if row.formed() != base && !fault::planted(Fault::FormedUnchecked) {
        return Ok(Forming::Elsewhere);
    }
    let mut pending = pending_in(&tx, &name, first - 1, limit).await?;
    if pending.is_empty() {
        return Ok(Forming::Nothing);
    }
    let now_ms = parts.clock.now_ms();
    let credits = credits::name_in(&tx, &row, &mut pending, limit, now_ms).await?;
    if pending.is_empty() {
        return Ok(Forming::Behind);
    }
    let formed = assemble(lane, base, &pending, credits);
    number_in(&tx, base, &pending).await?;
    lane::Entity::update_many()
        .col_expr(lane::Column::FormedNumber, formed.end.number.into())
        .col_expr(
            lane::Column::FormedDigest,
            formed.end.digest.to_vec().into(),
        )
        .filter(lane::Column::Name.eq(name))
        .exec(&tx)
        .await?;
    tx.commit().await?;
    Ok(Forming::Batch(Box::new(formed)))
}

/// What one look without locks tells.
enum Look {
    /// A command waits, the first at this position: it is worth to lock the lane.
    First(i64),
    /// No command waits, and the lane is still ours.
    Nothing,
    /// No command waits, and the lane is not ours, or not at the base.
    Elsewhere,
}

async fn look(parts: &Parts, name: &str, token: Uuid, base: Cursor, front: &Front) -> Result<Look> {
    let now_ms = parts.clock.now_ms();
    let first = pending(name, front.behind(now_ms), 1)
        .select_only()
        .column(row::Column::Position)
        .into_query();
    let looked = lane::Entity::find_by_id(name.to_owned())
        .select_only()
        .columns([
            lane::Column::Token,
            lane::Column::FormedNumber,
            lane::Column::FormedDigest,
        ])
        .expr(first)
        .into_tuple::<(Option<Uuid>, i64, Vec<u8>, Option<i64>)>()
        .one(parts.store.read())
        .await?;
    let Some((holder, number, digest, first)) = looked else {
        return Ok(Look::Elsewhere);
    };
    if let Some(position) = first {
        front.found(position, now_ms);
        return Ok(Look::First(position));
    }
    let ours = holder == Some(token) && Cursor::new(number, &digest) == base;
    Ok(match ours || fault::planted(Fault::FormedUnchecked) {
        true => Look::Nothing,
        false => Look::Elsewhere,
    })
}

/// A command that waits for its number.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) id: Uuid,
    pub(super) command: Command,
}

impl TryFrom<row::Model> for Pending {
    type Error = anyhow::Error;

    fn try_from(row: row::Model) -> Result<Self, anyhow::Error> {
        let mut command = Command::decode(row.body.as_slice())?;
        if row.abandoned {
            command.body = Some(Body::Void(Void {}));
        }
        Ok(Self {
            id: row.id,
            command,
        })
    }
}

async fn pending_in(
    tx: &DatabaseTransaction,
    lane: &str,
    behind: i64,
    limit: usize,
) -> Result<Vec<Pending>> {
    let mut bytes = 0;
    let mut fits = Vec::new();
    for row in pending(lane, behind, limit).all(tx).await? {
        bytes += row.body.len();
        if bytes > BATCH_BYTES && !fits.is_empty() {
            break;
        }
        fits.push(Pending::try_from(row)?);
    }
    Ok(fits)
}

/// The oldest commands of a lane that have no number, after a position.
fn pending(lane: &str, behind: i64, limit: usize) -> Select<row::Entity> {
    let query = row::Entity::find()
        .filter(row::Column::Lane.eq(lane))
        .filter(row::Column::Voided.eq(false))
        .filter(row::Column::Position.gt(behind))
        .order_by_asc(row::Column::Position)
        .limit(limit as u64);
    if fault::planted(Fault::NumberReused) {
        query
    } else {
        query.filter(row::Column::Number.is_null())
    }
}

fn assemble(
    lane: LaneName,
    base: Cursor,
    pending: &[Pending],
    credits: Vec<AccountCredits>,
) -> Formed {
    let commands: Vec<Command> = pending.iter().map(|one| one.command.clone()).collect();
    let end = commands.iter().fold(base, |cursor, command| {
        cursor.after(&command.id, &command.request_digest)
    });
    Formed {
        base,
        end,
        voids_only: commands
            .iter()
            .all(|command| matches!(command.body, Some(Body::Void(_)))),
        ids: commands
            .iter()
            .filter_map(|command| Uuid::from_slice(&command.id).ok())
            .collect(),
        batch: Batch {
            lane: Some(lane.into()),
            first_sequence: u64::try_from(base.number).unwrap_or(0) + 1,
            previous_digest: base.digest.to_vec().into(),
            rules_version: RULES_VERSION,
            commands,
            credits,
        },
    }
}

/// Numbers rows in their order, in one statement.
async fn number_in(tx: &DatabaseTransaction, base: Cursor, pending: &[Pending]) -> Result<()> {
    let numbers = pending.iter().map(|one| one.id);
    let numbers: Vec<_> = numbers.zip(base.number + 1..).collect();
    for chunk in numbers.chunks(bulk::rows_of(3)) {
        let id = Expr::col((row::Entity, row::Column::Id));
        let update = Query::update()
            .table(row::Entity)
            .from(bulk::values(tx, chunk.iter().copied()))
            .value(row::Column::Number, Expr::col((GIVEN, SECOND)))
            .and_where(id.equals((GIVEN, FIRST)))
            // Says nothing more, but that the rows are found by their index.
            .and_where(bulk::among(
                tx,
                row::Column::Id,
                chunk.iter().map(|(id, _)| *id),
            ))
            .to_owned();
        tx.execute(&update).await?;
    }
    Ok(())
}

/// Drops the numbers of a lane's unsettled rows beyond `after`, and makes `base`
/// the place that was formed up to. A Fold that no operation stands for goes with
/// its number.
pub(super) async fn unnumber_in(
    tx: &DatabaseTransaction,
    lane: &str,
    after: i64,
    base: Cursor,
) -> Result<()> {
    let operation = operation::Entity::find()
        .select_only()
        .column(operation::Column::Id)
        .filter(
            Expr::col((operation::Entity, operation::Column::Id))
                .equals((row::Entity, row::Column::Id)),
        )
        .into_query();
    row::Entity::delete_many()
        .filter(row::Column::Lane.eq(lane))
        .filter(row::Column::Number.gt(after))
        .filter(Expr::exists(operation).not())
        .exec(tx)
        .await?;
    row::Entity::update_many()
        .col_expr(row::Column::Number, Expr::value(None::<i64>))
        .filter(row::Column::Lane.eq(lane))
        .filter(row::Column::Number.gt(after))
        .filter(row::Column::Voided.eq(false))
        .exec(tx)
        .await?;
    lane::Entity::update_many()
        .col_expr(lane::Column::FormedNumber, base.number.into())
        .col_expr(lane::Column::FormedDigest, base.digest.to_vec().into())
        .filter(lane::Column::Name.eq(lane))
        .exec(tx)
        .await?;
    Ok(())
}

/// Marks a batch's operations as sent.
pub(super) async fn submitted_in(
    tx: &DatabaseTransaction,
    ids: &[Uuid],
    now_ms: i64,
) -> Result<()> {
    operation::Entity::update_many()
        .col_expr(
            operation::Column::State,
            i32::from(OperationState::Submitted).into(),
        )
        .col_expr(operation::Column::SubmittedMs, now_ms.into())
        .filter(bulk::among(tx, operation::Column::Id, ids.iter().copied()))
        .filter(operation::Column::State.eq(i32::from(OperationState::Accepted)))
        .exec(tx)
        .await?;
    Ok(())
}

/// Notes a failure on the rows of a batch.
pub(super) async fn failed(parts: &Parts, ids: &[Uuid], class: &str, next_ms: i64) -> Result<()> {
    row::Entity::update_many()
        .col_expr(
            row::Column::Attempts,
            Expr::col(row::Column::Attempts).add(1),
        )
        .col_expr(row::Column::ErrorClass, class.into())
        .col_expr(row::Column::NextAttemptMs, next_ms.into())
        .filter(bulk::among(
            parts.store.write(),
            row::Column::Id,
            ids.iter().copied(),
        ))
        .exec(parts.store.write())
        .await?;
    Ok(())
}
