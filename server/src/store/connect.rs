//! Opens connections, each backend with the settings that its durability needs.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr, SqlxError,
    sqlx::{self, PgConnection},
};
use secrecy::{ExposeSecret, SecretString};

/// Prepared statements that a SQLite connection keeps. Lists of different lengths
/// are different statements.
const STATEMENTS: usize = 512;

/// What is no part of a path in a URL.
const SIGNS: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');

/// How long to wait for a connection to a copy before the database itself is read.
const COPY_ACQUIRE: Duration = Duration::from_millis(500);

/// Where the database is.
#[derive(Debug, Clone)]
pub enum DatabaseUrl {
    /// A SQLite file; made if missing.
    SqliteFile(PathBuf),
    /// A SQLite database that ends with its store.
    SqliteMemory,
    /// A PostgreSQL URL.
    Postgres(SecretString),
}

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        match url {
            "sqlite::memory:" => Ok(Self::SqliteMemory),
            _ if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Ok(Self::Postgres(url.to_owned().into()))
            }
            _ => url
                .strip_prefix("sqlite://")
                .map(|path| Self::SqliteFile(path.into()))
                .ok_or_else(|| "must begin with sqlite:// or postgres://".to_owned()),
        }
    }
}

/// Connects for writing and for reading.
pub(super) async fn connect(
    url: &DatabaseUrl,
) -> Result<(DatabaseConnection, DatabaseConnection), DbErr> {
    Ok(match url {
        DatabaseUrl::SqliteFile(path) => {
            let address = sqlite_file(path, "rwc");
            let write = Database::connect(sqlite(&address, 1)).await?;
            (write, Database::connect(sqlite(&address, 8)).await?)
        }
        DatabaseUrl::SqliteMemory => {
            let only = Database::connect(sqlite("sqlite::memory:", 1)).await?;
            (only.clone(), only)
        }
        DatabaseUrl::Postgres(address) => {
            let mut options = postgres(address.expose_secret());
            options.map_sqlx_postgres_pool_opts(|pool| {
                pool.after_connect(|connection, _| Box::pin(primary(connection)))
            });
            let only = Database::connect(options).await?;
            (only.clone(), only)
        }
    })
}

/// Refuses, for each connection, a server that only follows another one: after a failover
/// a name may still lead to the old primary, and whoever writes must not stay there.
async fn primary(connection: &mut PgConnection) -> Result<(), SqlxError> {
    let follows = sqlx::query_scalar("SELECT pg_is_in_recovery()");
    match follows.fetch_one(connection).await? {
        true => Err(SqlxError::Protocol("a standby, not the primary".to_owned())),
        false => Ok(()),
    }
}

/// Connects to a database that is there, for reading alone.
pub(super) async fn connect_to_read(url: &DatabaseUrl) -> Result<DatabaseConnection, DbErr> {
    let options = match url {
        DatabaseUrl::SqliteFile(path) => {
            let mut options = common(&sqlite_file(path, "ro"), 4);
            options.map_sqlx_sqlite_opts(|sqlite| sqlite.busy_timeout(Duration::from_secs(10)));
            options
        }
        DatabaseUrl::SqliteMemory => {
            let alone = "an in-memory database is seen by its own process alone";
            return Err(DbErr::Custom(alone.to_owned()));
        }
        DatabaseUrl::Postgres(address) => read_only(address.expose_secret(), 4),
    };
    Database::connect(options).await
}

/// Connects to a copy that follows the database; it need not be there yet.
pub(super) async fn connect_to_copy(address: &SecretString) -> Result<DatabaseConnection, DbErr> {
    let mut options = read_only(address.expose_secret(), 32);
    options
        .connect_lazy(true)
        .min_connections(0)
        .acquire_timeout(COPY_ACQUIRE);
    Database::connect(options).await
}

/// Connects to migrate: alone, and with all the time that it takes.
pub(super) async fn connect_to_migrate(url: &DatabaseUrl) -> Result<DatabaseConnection, DbErr> {
    let options = match url {
        DatabaseUrl::SqliteFile(path) => sqlite(&sqlite_file(path, "rwc"), 1),
        DatabaseUrl::SqliteMemory => sqlite("sqlite::memory:", 1),
        DatabaseUrl::Postgres(address) => common(address.expose_secret(), 1),
    };
    Database::connect(options).await
}

/// One session of PostgreSQL that stays as long as its connection does, with all the time
/// that its statements take.
pub(super) fn session(address: &str, name: &str) -> ConnectOptions {
    let mut options = common(address, 1);
    let name = name.to_owned();
    options.map_sqlx_postgres_opts(move |postgres| postgres.application_name(&name));
    options.idle_timeout(None).max_lifetime(None);
    options
}

/// Connections to PostgreSQL that find another schema's tables, and no others.
pub(super) fn beside(address: &str, schema: &str) -> ConnectOptions {
    let mut options = common(address, 8);
    let schema = schema.to_owned();
    options.map_sqlx_postgres_opts(move |postgres| {
        postgres.application_name("gx-rebuild").options([
            ("default_transaction_isolation", "read committed"),
            ("search_path", schema.as_str()),
        ])
    });
    options
}

/// One connection to a SQLite file, made if missing, that nobody needs after a crash.
pub(super) fn sqlite_beside(path: &Path) -> ConnectOptions {
    let mut options = sqlite(&sqlite_file(path, "rwc"), 1);
    options.map_sqlx_sqlite_opts(|sqlite| {
        sqlite
            .pragma("journal_mode", "WAL")
            .pragma("synchronous", "OFF")
            .busy_timeout(Duration::from_secs(10))
            .statement_cache_capacity(STATEMENTS)
    });
    options
}

fn read_only(address: &str, connections: u32) -> ConnectOptions {
    let mut options = common(address, connections);
    options.map_sqlx_postgres_opts(|postgres| {
        postgres.application_name("gx-read").options([
            ("default_transaction_read_only", "on"),
            ("statement_timeout", "30s"),
        ])
    });
    options
}

/// The URL of a file, whatever signs its path has.
fn sqlite_file(path: &Path, mode: &str) -> String {
    let path = path.to_string_lossy();
    format!("sqlite://{}?mode={mode}", utf8_percent_encode(&path, SIGNS))
}

fn sqlite(address: &str, connections: u32) -> ConnectOptions {
    let mut options = common(address, connections);
    options.map_sqlx_sqlite_opts(|sqlite| {
        sqlite
            .pragma("journal_mode", "WAL")
            .pragma("synchronous", "FULL")
            .pragma("foreign_keys", "ON")
            .busy_timeout(Duration::from_secs(10))
            .statement_cache_capacity(STATEMENTS)
    });
    // A connection that is closed would take an in-memory database with it.
    options.idle_timeout(None).max_lifetime(None);
    options
}

/// Statements are planned once a connection, and tables that are queues are empty one
/// moment and long the next: a plan that reads a whole table is right in the first alone.
/// All that services and workers ask has an index.
fn postgres(address: &str) -> ConnectOptions {
    let mut options = common(address, 32);
    options.map_sqlx_postgres_opts(|postgres| {
        postgres.application_name("gx").options([
            ("default_transaction_isolation", "read committed"),
            ("statement_timeout", "30s"),
            ("idle_in_transaction_session_timeout", "60s"),
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_seqscan", "off"),
            // A whole table that must be read would cost so much that it is compiled.
            ("jit", "off"),
        ])
    });
    options
}

fn common(address: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(address.to_owned());
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        .sqlx_logging(false);
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[tokio::test]
    async fn a_file_may_lie_in_a_folder_of_any_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("100% of #1?");
        std::fs::create_dir(&path).unwrap();
        let file = path.join("gx.sqlite");
        Store::open(&DatabaseUrl::SqliteFile(file.clone()))
            .await
            .unwrap();
        assert!(file.exists());
    }
}
