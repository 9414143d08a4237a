//! The state file: SQLite, one transaction a block, always behind the block file
//! and never the truth. Whatever is wrong with it, it is made again from the blocks.

use std::{fs, path::Path};

use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, params};

use super::{
    store::StoreError,
    world::{Effects, State, Version, Versioned, World},
};
use crate::{CommitStatus, ValidationFlag};

/// The version of the tables; a file with another one is made again.
const SCHEMA_VERSION: i64 = 1;

const SCHEMA: &str = "
create table if not exists position (
    one integer primary key check (one = 1), height integer not null, hash blob not null
) strict;
create table if not exists state (
    key text primary key, value blob not null, block integer not null, place integer not null
) strict, without rowid;
create table if not exists transactions (
    tx_id text primary key, flag integer not null, block integer not null
) strict, without rowid;";

/// The open state file.
pub(super) struct StateFile {
    connection: Connection,
}

impl StateFile {
    /// Opens or creates the file; one that SQLite cannot read is thrown away.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        match Self::try_open(path) {
            Err(rusqlite::Error::SqliteFailure(error, _))
                if matches!(
                    error.code,
                    ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt
                ) =>
            {
                tracing::warn!("state file cannot be read, making it again");
                remove(path)?;
                Ok(Self::try_open(path)?)
            }
            opened => Ok(opened?),
        }
    }

    fn try_open(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        // A crash may take back the last blocks, never tear one; they are followed again.
        connection.pragma_update(None, "synchronous", "normal")?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version != SCHEMA_VERSION {
            connection.execute_batch(
                "drop table if exists position; drop table if exists state;
                 drop table if exists transactions;",
            )?;
        }
        connection.execute_batch(SCHEMA)?;
        connection.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        Ok(Self { connection })
    }

    /// The number of blocks that the state has followed, and the last one's hash.
    pub(super) fn position(&self) -> Result<(u64, Vec<u8>), StoreError> {
        Ok(position(&self.connection)?.unwrap_or_default())
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        transaction
            .execute_batch("delete from position; delete from state; delete from transactions;")?;
        Ok(transaction.commit()?)
    }

    /// Follows one block.
    pub(super) fn follow(&mut self, effects: &Effects) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        write_changes(&transaction, effects)?;
        write_flags(&transaction, effects)?;
        transaction.execute(
            "insert or replace into position (one, height, hash) values (1, ?1, ?2)",
            params![effects.number.cast_signed() + 1, effects.hash],
        )?;
        Ok(transaction.commit()?)
    }

    /// Everything, into memory.
    pub(super) fn load(&self) -> Result<World, StoreError> {
        let (height, hash) = self.position()?;
        Ok(World {
            state: self.load_state()?,
            statuses: self
                .connection
                .prepare("select tx_id, flag, block from transactions")?
                .query_map([], |row| {
                    Ok((row.get(0)?, (row.get(1)?, row.get::<_, i64>(2)?)))
                })?
                .map(|row| row.map(|(tx_id, status)| (tx_id, commit_status(status))))
                .collect::<Result<_, _>>()?,
            height,
            hash: hash.try_into().unwrap_or_default(),
            ..World::default()
        })
    }

    fn load_state(&self) -> rusqlite::Result<State> {
        self.connection
            .prepare("select key, value, block, place from state")?
            .query_map([], |row| Ok((row.get(0)?, versioned(row, 1)?)))?
            .collect()
    }
}

/// The number of blocks that the state has followed, and the last one's hash.
pub(super) fn position(connection: &Connection) -> rusqlite::Result<Option<(u64, Vec<u8>)>> {
    connection
        .query_row("select height, hash from position", [], |row| {
            Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?))
        })
        .optional()
}

/// A value and its version, from column `first` on.
pub(super) fn versioned(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Versioned> {
    Ok(Versioned {
        value: row.get::<_, Vec<u8>>(first)?.into(),
        version: Version {
            block: row.get::<_, i64>(first + 1)?.cast_unsigned(),
            transaction: row.get::<_, i64>(first + 2)?.cast_unsigned(),
        },
    })
}

/// A status from its two columns.
pub(super) fn commit_status((flag, block): (u8, i64)) -> CommitStatus {
    CommitStatus {
        flag: ValidationFlag(flag),
        block: block.cast_unsigned(),
    }
}

fn write_changes(transaction: &Transaction<'_>, effects: &Effects) -> rusqlite::Result<()> {
    let mut put = transaction.prepare_cached(
        "insert or replace into state (key, value, block, place) values (?1, ?2, ?3, ?4)",
    )?;
    let mut delete = transaction.prepare_cached("delete from state where key = ?1")?;
    for (key, change) in &effects.changes {
        match change {
            Some(Versioned { value, version }) => put.execute(params![
                key,
                value.as_ref(),
                version.block.cast_signed(),
                version.transaction.cast_signed()
            ])?,
            None => delete.execute([key])?,
        };
    }
    Ok(())
}

fn write_flags(transaction: &Transaction<'_>, effects: &Effects) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "insert or ignore into transactions (tx_id, flag, block) values (?1, ?2, ?3)",
    )?;
    for (tx_id, flag) in &effects.flags {
        insert.execute(params![tx_id, flag.0, effects.number.cast_signed()])?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), StoreError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::io(path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}
