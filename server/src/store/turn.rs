//! Turns: transactions that must come one after the other although no row stands
//! for what they decide about. SQLite has one writer at a time, so there every
//! transaction that writes has its turn already.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, Statement};

/// Waits until no other transaction has the turn named by a hash, and keeps it to
/// the transaction's end. Names that share their first eight bytes wait for each
/// other, which costs time and nothing else. Taken before every row lock.
///
/// # Errors
/// If the database fails.
pub async fn take_turn_in(tx: &DatabaseTransaction, name: &[u8; 32]) -> Result<(), DbErr> {
    if tx.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let mut key = [0; 8];
    key.copy_from_slice(&name[..8]);
    let take = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "select pg_advisory_xact_lock($1)",
        [i64::from_be_bytes(key).into()],
    );
    tx.execute_raw(take).await?;
    Ok(())
}

/// Waits until no other transaction shares or has locked rows of a table, and keeps
/// all others from locking any to the transaction's end; reading goes on. Whoever
/// shares a row of PostgreSQL joins those who share it already, past an exclusive
/// lock that waits, which therefore may wait for ever. Locks of tables are given in
/// the order in which they are asked for. Taken before any row of the table is.
///
/// # Errors
/// If the database fails.
pub async fn lock_out_sharers_in<E: EntityTrait>(
    tx: &DatabaseTransaction,
    table: E,
) -> Result<(), DbErr> {
    if tx.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let table = table.table_name();
    let lock = format!("lock table \"{table}\" in exclusive mode");
    tx.execute_unprepared(&lock).await?;
    Ok(())
}
