//! The database: connections, transactions, and everything in which PostgreSQL
//! and SQLite differ. No other room knows which of the two it is.

mod away;
mod beside;
pub mod bulk;
mod connect;
mod copy;
mod deadlock;
mod front;
mod gather;
mod lock;
mod measure;
mod migrate;
mod misfit;
mod turn;

use std::sync::Arc;

use sea_orm::{
    AccessMode, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};

use secrecy::SecretString;

use copy::Copy;

pub use away::is_away;
pub use beside::{BESIDE, Beside, BesideError};
pub use connect::DatabaseUrl;
pub use deadlock::is_deadlock;
pub use front::Front;
pub use gather::Gather;
pub use lock::Lock;
pub use migrate::migrate;
pub use misfit::is_misfit;
pub use turn::{lock_out_sharers_in, take_turn_in};

/// The database with a way to write and a way to read.
///
/// SQLite has one writer: its write pool is one connection, so writers queue in
/// order and none meets a busy database.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    write: DatabaseConnection,
    read: DatabaseConnection,
    /// Follows the database, as fast as it can.
    copy: Option<Copy>,
}

/// Which database to open, and how.
#[derive(Debug, Clone)]
pub struct Places {
    /// The database.
    pub url: DatabaseUrl,
    /// A copy that follows it, for reads that may be a moment old.
    pub copy: Option<SecretString>,
    /// Whether the schema is brought up to date; else an older one is refused.
    pub migrate: bool,
}

impl Store {
    /// Opens the database and brings its schema up to date.
    ///
    /// # Errors
    /// If it cannot be reached or migrated.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, DbErr> {
        let places = Places {
            url: url.clone(),
            copy: None,
            migrate: true,
        };
        Self::open_at(&places).await
    }

    /// Opens the database with all that belongs to it.
    ///
    /// # Errors
    /// If it cannot be reached or migrated, or has an older schema that is not to be
    /// migrated.
    pub async fn open_at(places: &Places) -> Result<Self, DbErr> {
        let (write, read) = connect::connect(&places.url).await?;
        match (&places.url, places.migrate) {
            // Over a connection of its own, which may take its time.
            (DatabaseUrl::Postgres(_), true) => drop(migrate(&places.url).await?),
            (_, true) => drop(migrate::migrate_with(&write).await?),
            (_, false) => no_older(&write).await?,
        }
        let copy = match &places.copy {
            Some(address) => Some(Copy::new(connect::connect_to_copy(address).await?)),
            None => None,
        };
        Ok(Self {
            inner: Arc::new(Inner { write, read, copy }),
        })
    }

    /// Opens a database that is there, to read beside whoever writes it: nothing is
    /// migrated, and whatever would write fails.
    ///
    /// # Errors
    /// If it is not there, cannot be reached, or has an older schema.
    pub async fn open_existing(url: &DatabaseUrl) -> Result<Self, DbErr> {
        let read = connect::connect_to_read(url).await?;
        no_older(&read).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                write: read.clone(),
                read,
                copy: None,
            }),
        })
    }

    /// Begins a transaction that writes. What it decides on stands in rows that
    /// it locked, or is read by a later statement than the one that locked.
    ///
    /// # Errors
    /// If no connection can be had.
    pub async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let options = TransactionOptions {
            // What connections begin with, so that it need not be said each time.
            isolation_level: None,
            access_mode: None,
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        };
        self.inner.write.begin_with_options(options).await
    }

    /// Begins a transaction that reads one moment of the database.
    ///
    /// # Errors
    /// If no connection can be had.
    pub async fn snapshot(&self) -> Result<DatabaseTransaction, DbErr> {
        self.snapshot_of(&self.inner.read).await
    }

    /// A connection for single reads of the copy, which may be behind; `None` where there
    /// is no copy, or where it was away a moment ago.
    pub fn copy(&self) -> Option<&DatabaseConnection> {
        self.inner.copy.as_ref()?.db()
    }

    /// Tells that the copy could not be read.
    pub fn copy_is_away(&self) {
        if let Some(copy) = &self.inner.copy {
            copy.away();
        }
    }

    /// Begins a transaction that reads one moment of what a connection leads to.
    ///
    /// # Errors
    /// If no connection can be had.
    pub async fn snapshot_of(&self, db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
        let postgres = self.postgres();
        let options = TransactionOptions {
            isolation_level: postgres.then_some(IsolationLevel::RepeatableRead),
            access_mode: postgres.then_some(AccessMode::ReadOnly),
            sqlite_transaction_mode: Some(SqliteTransactionMode::Deferred),
        };
        db.begin_with_options(options).await
    }

    /// A connection for single reads.
    pub fn read(&self) -> &DatabaseConnection {
        &self.inner.read
    }

    /// A connection for single statements that write, each a transaction of its own.
    pub fn write(&self) -> &DatabaseConnection {
        &self.inner.write
    }

    fn postgres(&self) -> bool {
        self.inner.write.get_database_backend() == DbBackend::Postgres
    }
}

async fn no_older(db: &DatabaseConnection) -> Result<(), DbErr> {
    match migrate::missing(db).await? {
        missing if missing.is_empty() => Ok(()),
        missing => Err(DbErr::Custom(format!(
            "its schema is older than this program: it lacks {}; gx migrate brings it up to date",
            missing.join(", ")
        ))),
    }
}
