//! How the pool and the backends say that the database is away.

use sea_orm::{DbErr, RuntimeErr, SqlxError};

/// Whether the database could not be reached or was lost on the way: it may be back
/// soon, and then the same again may succeed.
pub fn is_away(error: &DbErr) -> bool {
    let cause = match error {
        DbErr::ConnectionAcquire(_) => return true,
        DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause) => cause,
        _ => return false,
    };
    let RuntimeErr::SqlxError(cause) = cause else {
        return false;
    };
    match &**cause {
        SqlxError::Io(_) | SqlxError::PoolTimedOut | SqlxError::PoolClosed => true,
        // A connection that broke off while it was made.
        SqlxError::Protocol(_) => matches!(error, DbErr::Conn(_)),
        SqlxError::Database(error) => error.code().is_some_and(|code| says_away(&code)),
        _ => false,
    }
}

/// PostgreSQL's connection exceptions, its shutdowns and its start, and that it takes no
/// more connections.
fn says_away(code: &str) -> bool {
    let alone = ["57P01", "57P02", "57P03", "53300"];
    code.len() == 5 && (code.starts_with("08") || alone.contains(&code))
}

#[cfg(test)]
mod tests {
    use std::io;

    use sea_orm::ConnAcquireErr;

    use super::*;

    #[test]
    fn what_may_be_back_is_told_from_what_is_wrong() {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        for away in [SqlxError::PoolTimedOut, SqlxError::PoolClosed] {
            assert!(is_away(&DbErr::Conn(RuntimeErr::SqlxError(away.into()))));
        }
        let lost = RuntimeErr::SqlxError(SqlxError::Io(refused()).into());
        assert!(is_away(&DbErr::Query(lost.clone())) && is_away(&DbErr::Exec(lost)));
        assert!(is_away(&DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)));
        let broken = || RuntimeErr::SqlxError(SqlxError::Protocol("cut".to_owned()).into());
        assert!(is_away(&DbErr::Conn(broken())) && !is_away(&DbErr::Query(broken())));
        let wrong = RuntimeErr::SqlxError(SqlxError::RowNotFound.into());
        assert!(!is_away(&DbErr::Query(wrong)));
        assert!(!is_away(&DbErr::Custom("08006".to_owned())));
    }

    #[test]
    fn codes_of_connections_and_shutdowns_say_away() {
        for code in ["08000", "08006", "57P01", "57P02", "57P03", "53300"] {
            assert!(says_away(code), "{code}");
        }
        for code in ["57P04", "57014", "23505", "8", "08", ""] {
            assert!(!says_away(code), "{code}");
        }
    }
}
