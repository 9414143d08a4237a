//! Lines as rows.

use sea_orm::{DatabaseTransaction, Set};

use super::{Entry, entity::line};
use crate::{error::Result, store::bulk};

/// Writes lines in the caller's transaction.
///
/// # Errors
/// If the database fails.
pub async fn record_in(tx: &DatabaseTransaction, now_ms: i64, entries: Vec<Entry>) -> Result<()> {
    let lines = entries.into_iter().map(|entry| (now_ms, entry)).collect();
    insert_in(tx, lines).await
}

/// Writes lines, each with its own time.
pub(super) async fn insert_in(tx: &DatabaseTransaction, lines: Vec<(i64, Entry)>) -> Result<()> {
    let rows = lines.into_iter().map(|(at_ms, entry)| row(at_ms, entry));
    Ok(bulk::insert_active_in(tx, rows.collect()).await?)
}

fn row(at_ms: i64, entry: Entry) -> line::ActiveModel {
    line::ActiveModel {
        at_ms: Set(at_ms),
        actor: Set(entry.actor.map(|actor| actor.0)),
        action: Set(entry.action.to_owned()),
        subject: Set(entry.subject),
        outcome: Set(entry.outcome),
        request_id: Set(entry.request_id),
        traceparent: Set(entry.traceparent),
        client: Set(entry.client),
        fabric_tx_id: Set(entry.fabric_tx_id),
        ..line::ActiveModel::default()
    }
}
