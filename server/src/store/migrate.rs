//! Brings the schema up to date, one process at a time.

use gx_migrations::Migrator;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use sea_orm_migration::{MigratorTrait, SchemaManager};

use super::{DatabaseUrl, connect};
use crate::fault::kill_point;

/// The advisory lock of whoever migrates: "gx" and a number.
const LOCK: i64 = 0x6778_0001;

/// Brings the schema up to date and answers the names of the migrations that were
/// missing. On PostgreSQL one process does it at a time, and the others wait.
///
/// # Errors
/// If the database cannot be reached or migrated; a migration that failed left nothing.
pub async fn migrate(url: &DatabaseUrl) -> Result<Vec<String>, DbErr> {
    let db = connect::connect_to_migrate(url).await?;
    let done = migrate_with(&db).await;
    db.close().await?;
    done
}

/// The same over a connection that is there.
pub(super) async fn migrate_with(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    if missing(db).await?.is_empty() {
        return Ok(Vec::new());
    }
    let locks = db.get_database_backend() == DbBackend::Postgres;
    if locks {
        // Ends with the session, which is this connection's alone.
        let lock = format!("SELECT pg_advisory_lock({LOCK})");
        db.execute_unprepared(&lock).await?;
    }
    // Another process may have done it meanwhile.
    let missing = missing(db).await?;
    for _ in &missing {
        Migrator::up(db, Some(1)).await?;
        kill_point("migration");
    }
    if locks {
        let unlock = format!("SELECT pg_advisory_unlock({LOCK})");
        db.execute_unprepared(&unlock).await?;
    }
    Ok(missing)
}

/// This program's migrations that the database lacks. Later ones, which this program
/// does not know, are none of its business: they only expand what it uses.
pub(super) async fn missing(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let mut known: Vec<_> = Migrator::migrations()
        .iter()
        .map(|one| one.name().to_owned())
        .collect();
    if SchemaManager::new(db).has_table("seaql_migrations").await? {
        let applied = Statement::from_string(
            db.get_database_backend(),
            "SELECT version FROM seaql_migrations",
        );
        for row in db.query_all_raw(applied).await? {
            let version: String = row.try_get_by_index(0)?;
            known.retain(|name| *name != version);
        }
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn empty() -> DatabaseConnection {
        connect::connect_to_migrate(&DatabaseUrl::SqliteMemory)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn what_is_missing_is_done_once() {
        let db = empty().await;
        let all = missing(&db).await.unwrap();
        assert_eq!(all.len(), Migrator::migrations().len());
        assert_eq!(migrate_with(&db).await.unwrap(), all);
        assert_eq!(migrate_with(&db).await.unwrap(), [""; 0]);
    }

    #[tokio::test]
    async fn a_later_schema_is_no_hindrance() {
        let db = empty().await;
        migrate_with(&db).await.unwrap();
        let later = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_later', 0)";
        db.execute_unprepared(later).await.unwrap();
        assert_eq!(migrate_with(&db).await.unwrap(), [""; 0]);
    }
}
