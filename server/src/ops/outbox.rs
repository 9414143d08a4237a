//! `gx outbox list` and `gx outbox show`: commands that are not settled, and those
//! that were voided.

mod command;
mod text;

use anyhow::{Context as _, bail};
use gx_proto::gx::operation::v1::{OperationState, OperationType};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use uuid::Uuid;

use self::command::Decoded;
use super::{
    open,
    table::{Qirat, Table, age, moment},
};
use crate::{
    clock::{Clock, SystemClock},
    config::Config,
    error::reason_name,
    outbox::{
        entity::{operation, row},
        operation::{name, parse_name},
    },
};

/// Which rows to list.
#[derive(Debug, clap::Args)]
pub struct ListOptions {
    /// Those of this lane alone, such as partner/3.
    #[arg(long)]
    lane: Option<String>,
    /// At most so many, oldest first.
    #[arg(long, default_value_t = 100)]
    limit: u64,
}

/// Which command to show.
#[derive(Debug, clap::Args)]
pub struct ShowOptions {
    /// Its operation, `operations/<32 hexadecimal digits>`, or these digits alone.
    operation: String,
}

/// Rows of the outbox.
#[derive(Debug, Serialize)]
pub struct List {
    total: u64,
    rows: Vec<Row>,
}

/// One row: a command that is not settled, or was voided.
#[derive(Debug, Serialize)]
pub struct Row {
    operation: String,
    lane: String,
    position: i64,
    number: Option<i64>,
    state: &'static str,
    abandoned: bool,
    age: String,
    create_time: String,
    attempts: i32,
    error_class: Option<String>,
    held_account: Option<String>,
    held_qirat: Qirat,
    traceparent: Option<String>,
    command: Decoded,
}

/// One command: its row, if there is one, and its operation.
#[derive(Debug, Serialize)]
pub struct Shown {
    row: Option<Row>,
    operation: Option<Operation>,
}

/// A command's permanent record.
#[derive(Debug, Serialize)]
struct Operation {
    operation: String,
    owner: Option<String>,
    request_id: Option<String>,
    kind: &'static str,
    state: &'static str,
    reason: Option<&'static str>,
    reason_metadata: Option<String>,
    lane: String,
    number: Option<i64>,
    fabric_tx_id: Option<String>,
    block: Option<i64>,
    create_time: String,
    submit_time: Option<String>,
    settle_time: Option<String>,
}

/// Lists rows in the order in which they came.
///
/// # Errors
/// If the database cannot be read.
pub async fn list(config: Config, options: ListOptions) -> anyhow::Result<List> {
    let store = open::store(&config).await?;
    let snapshot = store.snapshot().await?;
    let mut rows = row::Entity::find();
    if let Some(lane) = options.lane {
        rows = rows.filter(row::Column::Lane.eq(lane));
    }
    let total = rows.clone().count(&snapshot).await?;
    let rows = rows.order_by_asc(row::Column::Position);
    let rows = rows.limit(options.limit).all(&snapshot).await?;
    let now_ms = SystemClock.now_ms();
    Ok(List {
        total,
        rows: rows.into_iter().map(|row| Row::of(row, now_ms)).collect(),
    })
}

/// Shows one command.
///
/// # Errors
/// If there is none of this name, or the database cannot be read.
pub async fn show(config: Config, options: ShowOptions) -> anyhow::Result<Shown> {
    let text = &options.operation;
    let id = parse_name(text).ok().or_else(|| Uuid::try_parse(text).ok());
    let id = id.with_context(|| format!("{text} names no operation"))?;
    let store = open::store(&config).await?;
    let snapshot = store.snapshot().await?;
    let row = row::Entity::find().filter(row::Column::Id.eq(id));
    let row = row.one(&snapshot).await?;
    let operation = operation::Entity::find_by_id(id).one(&snapshot).await?;
    if row.is_none() && operation.is_none() {
        bail!("there is no {}", name(id));
    }
    Ok(Shown {
        row: row.map(|row| Row::of(row, SystemClock.now_ms())),
        operation: operation.map(Operation::from),
    })
}

impl Row {
    fn of(row: row::Model, now_ms: i64) -> Self {
        let state = match row.number {
            _ if row.voided => "voided",
            Some(_) => "numbered",
            None => "pending",
        };
        Self {
            operation: name(row.id),
            command: Decoded::from(row.body.as_slice()),
            lane: row.lane,
            position: row.position,
            number: row.number,
            state,
            abandoned: row.abandoned,
            age: age(now_ms, row.created_ms),
            create_time: moment(row.created_ms),
            attempts: row.attempts,
            error_class: row.error_class,
            held_account: row.held_account,
            held_qirat: Qirat(row.held_qirat.into()),
            traceparent: row.traceparent,
        }
    }
}

impl From<operation::Model> for Operation {
    fn from(row: operation::Model) -> Self {
        let kind = OperationType::try_from(row.kind).unwrap_or_default();
        let state = OperationState::try_from(row.state).unwrap_or_default();
        let reason = row.reason.and_then(|reason| reason.try_into().ok());
        Self {
            operation: name(row.id),
            owner: row.owner,
            request_id: row.request_id.map(|id| id.to_string()),
            kind: kind.as_str_name(),
            state: state.as_str_name(),
            reason: reason.map(reason_name),
            reason_metadata: row.reason_metadata,
            lane: row.lane,
            number: row.number,
            fabric_tx_id: row.fabric_tx_id,
            block: row.block,
            create_time: moment(row.created_ms),
            submit_time: row.submitted_ms.map(moment),
            settle_time: row.settled_ms.map(moment),
        }
    }
}
