//! Transactions that lost against another one and may be repeated.

use sea_orm::{DbErr, RuntimeErr};

/// Whether a transaction failed for a deadlock or a serialization failure: repeated,
/// it may succeed. SQLite has neither, since its writers queue.
pub fn is_conflict(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) =
        error
    else {
        return false;
    };
    let code = cause.as_database_error().and_then(|error| error.code());
    matches!(code.as_deref(), Some("40P01" | "40001"))
}
