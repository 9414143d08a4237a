//! The second database on SQLite: a file beside the live one, attached to the one
//! connection that writes.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use sea_orm::{
    ConnectionTrait, Database, DatabaseTransaction, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};

use super::{BESIDE, BesideError};
use crate::store::{DbErr, Inner, Store, connect, migrate};

/// The files, and the lock, which ends with the process.
#[derive(Debug)]
pub(super) struct Place {
    file: PathBuf,
    _lock: File,
}

pub(super) async fn create(
    path: &Path,
    live: &Store,
    owner: &str,
) -> Result<(Store, Place), BesideError> {
    let lock = locked(&with(path, ".rebuild.lock"), owner)?;
    let file = with(path, ".rebuild");
    remove(&file)?;
    let write = Database::connect(connect::sqlite_beside(&file)).await?;
    migrate::migrate_with(&write).await?;
    let inner = Inner {
        read: write.clone(),
        write,
        copy: None,
    };
    let name = file.display().to_string().replace('\'', "''");
    let attach = format!("attach database '{name}' as {BESIDE}");
    live.write().execute_unprepared(&attach).await?;
    let place = Place { file, _lock: lock };
    let inner = Arc::new(inner);
    Ok((Store { inner }, place))
}

/// Begins to write the live file alone: an immediate transaction would lock the attached
/// one too, and read it as it stands now.
pub(super) async fn begin(live: &Store) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Deferred),
        ..TransactionOptions::default()
    };
    let tx = live.write().begin_with_options(options).await?;
    // It changes nothing, and takes the lock of whoever writes.
    tx.execute_unprepared("delete from main.seaql_migrations where false")
        .await?;
    Ok(tx)
}

impl Place {
    pub(super) async fn end(self, live: &Store) -> Result<(), BesideError> {
        let detach = format!("detach database {BESIDE}");
        live.write().execute_unprepared(&detach).await?;
        Ok(remove(&self.file)?)
    }
}

/// The lock of whoever makes one; its file tells who that is.
fn locked(path: &Path, owner: &str) -> Result<File, BesideError> {
    let mut options = OpenOptions::new();
    let options = options.create(true).write(true).truncate(false);
    let mut file = options.open(path)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            file.write_all(format!("{owner}, process {}", std::process::id()).as_bytes())?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => Err(BesideError::Taken(fs::read_to_string(path)?)),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn remove(file: &Path) -> io::Result<()> {
    for end in ["", "-wal", "-shm"] {
        match fs::remove_file(with(file, end)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
