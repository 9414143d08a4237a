//! The end of a call that proves a code or a password: its refusal leaves something
//! behind, a counted failure and a line in the audit log (`Record::Proof`).

use sea_orm::DatabaseTransaction;

use crate::{
    audit::{self, Entry},
    error::{Result, reason_name},
};

/// Records the outcome, commits, and then tells it.
///
/// # Errors
/// If the database fails; else the refusal that was recorded.
pub(super) async fn conclude<T>(
    tx: DatabaseTransaction,
    now_ms: i64,
    entry: Entry,
    outcome: Result<T>,
) -> Result<T> {
    let name = match &outcome {
        Ok(_) => "OK",
        Err(error) => reason_name(error.reason()),
    };
    let outcome_named = Entry {
        outcome: name.to_owned(),
        ..entry
    };
    audit::record_in(&tx, now_ms, vec![outcome_named]).await?;
    tx.commit().await?;
    outcome
}
