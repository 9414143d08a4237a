//! A second database of the same tables beside the live one, in which something is made
//! that is then exchanged for live rows in one transaction.
//!
//! On PostgreSQL it is a schema of unlogged tables, on SQLite a file, attached to the
//! connection that writes. Either way a live statement reads its tables under the name
//! [`BESIDE`]. Whoever makes one is alone: what another left behind is dropped, and a
//! second one is told who is at it.

mod postgres;
mod sqlite;

use sea_orm::{DatabaseTransaction, DbErr, TransactionTrait as _};

use super::{DatabaseUrl, Store};

/// The name under which live statements read its tables.
pub const BESIDE: &str = "gx_rebuild";

/// Why there is no second database.
#[derive(Debug, thiserror::Error)]
pub enum BesideError {
    /// Somebody else makes one.
    #[error("{0} is at it")]
    Taken(String),
    /// A file beside the database cannot be used.
    #[error("a file beside the database cannot be used")]
    File(#[from] std::io::Error),
    /// The database fails.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// The second database. Nobody else makes one until it is dropped.
#[derive(Debug)]
pub struct Beside {
    store: Store,
    place: Place,
}

/// Where it is, and what keeps others from it.
#[derive(Debug)]
enum Place {
    Postgres(postgres::Place),
    Sqlite(sqlite::Place),
}

impl Beside {
    /// Makes an empty one; `owner` is who others are told is at it.
    ///
    /// # Errors
    /// If somebody else has one, or it cannot be made.
    pub async fn create(url: &DatabaseUrl, live: &Store, owner: &str) -> Result<Self, BesideError> {
        let (store, place) = match url {
            DatabaseUrl::Postgres(address) => {
                let (store, place) = postgres::create(address, owner).await?;
                (store, Place::Postgres(place))
            }
            DatabaseUrl::SqliteFile(path) => {
                let (store, place) = sqlite::create(path, live, owner).await?;
                (store, Place::Sqlite(place))
            }
            DatabaseUrl::SqliteMemory => {
                let alone = "a database in memory has none beside it";
                return Err(DbErr::Custom(alone.to_owned()).into());
            }
        };
        Ok(Self { store, place })
    }

    /// What is made.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Begins the live transaction that exchanges rows. It may take its time, and what is
    /// made may go on being written until the transaction first reads it.
    ///
    /// # Errors
    /// If the database fails, or somebody else may have begun another one.
    pub async fn begin_exchange(&self, live: &Store) -> Result<DatabaseTransaction, DbErr> {
        match &self.place {
            Place::Postgres(place) => place.begin(live).await,
            Place::Sqlite(_) => sqlite::begin(live).await,
        }
    }

    /// Begins a transaction that reads both, and may take its time.
    ///
    /// # Errors
    /// As [`Beside::begin_exchange`].
    pub async fn begin_look(&self, live: &Store) -> Result<DatabaseTransaction, DbErr> {
        match &self.place {
            Place::Postgres(place) => place.begin(live).await,
            Place::Sqlite(_) => live.write().begin().await,
        }
    }

    /// Drops it with all that was made.
    ///
    /// # Errors
    /// If the database fails; whoever makes the next one drops it then.
    pub async fn end(self, live: &Store) -> Result<(), BesideError> {
        self.store.write().clone().close().await?;
        self.store.read().clone().close().await?;
        match self.place {
            Place::Postgres(place) => Ok(place.end().await?),
            Place::Sqlite(place) => place.end(live).await,
        }
    }
}
