//! Opens connections, each backend with the settings that its durability needs.

use std::{path::PathBuf, str::FromStr, time::Duration};

use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};
use sea_orm_migration::MigratorTrait;
use secrecy::{ExposeSecret, SecretString};

/// Prepared statements that a SQLite connection keeps. Lists of different lengths
/// are different statements.
const STATEMENTS: usize = 512;

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

/// Connects for writing and for reading, after migrating.
pub(super) async fn connect(
    url: &DatabaseUrl,
) -> Result<(DatabaseConnection, DatabaseConnection), DbErr> {
    let (write, read) = match url {
        DatabaseUrl::SqliteFile(path) => {
            let address = format!("sqlite://{}?mode=rwc", path.display());
            let write = Database::connect(sqlite(&address, 1)).await?;
            (write, Database::connect(sqlite(&address, 8)).await?)
        }
        DatabaseUrl::SqliteMemory => {
            let only = Database::connect(sqlite("sqlite::memory:", 1)).await?;
            (only.clone(), only)
        }
        DatabaseUrl::Postgres(address) => {
            let only = Database::connect(postgres(address.expose_secret())).await?;
            (only.clone(), only)
        }
    };
    gx_migrations::Migrator::up(&write, None).await?;
    Ok((write, read))
}

/// Connects to a database that is there, for reading alone.
pub(super) async fn connect_to_read(url: &DatabaseUrl) -> Result<DatabaseConnection, DbErr> {
    let options = match url {
        DatabaseUrl::SqliteFile(path) => {
            let mut options = common(&format!("sqlite://{}?mode=ro", path.display()), 4);
            options.map_sqlx_sqlite_opts(|sqlite| sqlite.busy_timeout(Duration::from_secs(10)));
            options
        }
        DatabaseUrl::SqliteMemory => {
            let alone = "an in-memory database is seen by its own process alone";
            return Err(DbErr::Custom(alone.to_owned()));
        }
        DatabaseUrl::Postgres(address) => {
            let mut options = common(address.expose_secret(), 4);
            options.map_sqlx_postgres_opts(|postgres| {
                let read_only = [("default_transaction_read_only", "on")];
                postgres.application_name("gx-tool").options(read_only)
            });
            options
        }
    };
    let db = Database::connect(options).await?;
    match gx_migrations::Migrator::get_pending_migrations_read_only(&db).await? {
        pending if pending.is_empty() => Ok(db),
        _ => Err(DbErr::Custom(
            "its schema is older than this program; a start of gx migrates it".to_owned(),
        )),
    }
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

fn postgres(address: &str) -> ConnectOptions {
    let mut options = common(address, 32);
    options.map_sqlx_postgres_opts(|postgres| {
        postgres.application_name("gx").options([
            ("default_transaction_isolation", "read committed"),
            ("statement_timeout", "30s"),
            ("idle_in_transaction_session_timeout", "60s"),
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
