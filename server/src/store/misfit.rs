//! How the backends say that a row does not fit its table.

use sea_orm::{DbErr, RuntimeErr};

/// Whether a value or a row is one that the tables do not take: the same again fails
/// again.
pub fn is_misfit(error: &DbErr) -> bool {
    let (DbErr::Exec(cause) | DbErr::Query(cause)) = error else {
        return false;
    };
    let RuntimeErr::SqlxError(cause) = cause else {
        return false;
    };
    let code = cause.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| says_misfit(&code))
}

/// PostgreSQL's data exceptions and violated constraints; SQLite's TOOBIG, CONSTRAINT and
/// MISMATCH with their kinds, which stand in the higher bytes.
fn says_misfit(code: &str) -> bool {
    match code.parse::<u32>() {
        Ok(code) if code < 10_000 => [18, 19, 20].contains(&(code & 0xff)),
        _ => code.len() == 5 && (code.starts_with("22") || code.starts_with("23")),
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait, sqlx};

    use super::*;
    use crate::store::{DatabaseUrl, Store};

    #[test]
    fn data_and_constraints_say_misfit() {
        // Out of range, not null, check, unique; SQLite's not null, check and unique.
        for code in [
            "22003", "23502", "23514", "23505", "1299", "275", "2067", "20",
        ] {
            assert!(says_misfit(code), "{code}");
        }
        // Deadlock, timeout, no room, away; SQLite's BUSY, IOERR and FULL.
        for code in [
            "40P01", "57014", "53100", "08006", "5", "261", "10", "13", "",
        ] {
            assert!(!says_misfit(code), "{code}");
        }
    }

    #[tokio::test]
    async fn a_row_that_lacks_a_value_does_not_fit() {
        let store = Store::open(&DatabaseUrl::SqliteMemory).await.unwrap();
        let lacking = "insert into lanes (name) values (null)";
        let error = store.write().execute_unprepared(lacking).await.unwrap_err();
        assert!(is_misfit(&error), "{error:?}");
        let gone = DbErr::Query(RuntimeErr::SqlxError(sqlx::Error::PoolClosed.into()));
        assert!(!is_misfit(&gone));
    }
}
