//! How the backends say that two transactions were in each other's way.

use sea_orm::{DbErr, RuntimeErr};

/// PostgreSQL's deadlock_detected and serialization_failure, and SQLite's BUSY with
/// its kinds.
const CODES: [&str; 5] = ["40P01", "40001", "5", "261", "517"];

/// Whether the transaction was ended for another one's sake: the same again may
/// succeed.
pub fn is_deadlock(error: &DbErr) -> bool {
    let (DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause)) = error else {
        return false;
    };
    let RuntimeErr::SqlxError(cause) = cause else {
        return false;
    };
    let code = cause.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| CODES.contains(&code.as_ref()))
}
