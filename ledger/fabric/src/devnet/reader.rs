//! The devnet's files, read beside their writer: nothing here locks or changes them.

use std::{fs::File, path::Path};

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::{
    block_file::Scan,
    state_file::{commit_status, position, versioned},
    store::{BLOCKS_FILE, STATE_FILE, StoreError},
    world::Versioned,
};
use crate::{CommitStatus, block, proto::common};

/// Iterates over the blocks of a folder, checking that they are a chain and that each
/// has the envelopes that its header tells of. After the last block it gives `None`,
/// and later again those that were written since; a block may be seen in the moment
/// before it counts as committed.
pub struct BlockReader {
    scan: Scan,
}

impl BlockReader {
    /// Stands before block 0.
    ///
    /// # Errors
    /// If the folder has no block file.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(BLOCKS_FILE);
        let file = File::open(&path).map_err(StoreError::io(&path))?;
        Ok(Self {
            scan: Scan::new(&path, file),
        })
    }
}

impl Iterator for BlockReader {
    type Item = Result<common::Block, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let offset = self.scan.offset;
        let block = self.scan.next_block().transpose()?;
        Some(block.and_then(|block| match has_its_envelopes(&block) {
            true => Ok(block),
            false => Err(self.scan.damaged_at(offset, "a block with other envelopes")),
        }))
    }
}

/// The state of a folder as it was when the reader was opened, however far the
/// writer has gone on. It may be a few blocks behind the block file. Drop it soon:
/// what it sees cannot be cleaned up.
pub struct StateReader {
    connection: Connection,
    height: u64,
    hash: Vec<u8>,
}

impl StateReader {
    /// Opens the state as it is now.
    ///
    /// # Errors
    /// If the folder has no state file.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(folder.join(STATE_FILE), flags)?;
        // The first read fixes what the transaction sees.
        connection.execute_batch("begin")?;
        let (height, hash) = position(&connection)?.unwrap_or_default();
        Ok(Self {
            connection,
            height,
            hash,
        })
    }

    /// The number of blocks that the state has followed.
    pub fn height(&self) -> u64 {
        self.height
    }

    /// The hash of the last block that it has followed; empty before the first.
    pub fn hash(&self) -> &[u8] {
        &self.hash
    }

    /// The number of keys.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn keys(&self) -> Result<u64, StoreError> {
        let mut count = self.connection.prepare("select count(*) from state")?;
        Ok(count
            .query_row([], |row| row.get::<_, i64>(0))?
            .cast_unsigned())
    }

    /// A key's value.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn get(&self, key: &str) -> Result<Option<Versioned>, StoreError> {
        let mut select = self
            .connection
            .prepare_cached("select value, block, place from state where key = ?1")?;
        Ok(select
            .query_row([key], |row| versioned(row, 0))
            .optional()?)
    }

    /// Keys from `start` to before `end` in order of their bytes, at most `limit`.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn range(
        &self,
        start: &str,
        end: &str,
        limit: u32,
    ) -> Result<Vec<(String, Versioned)>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "select key, value, block, place from state
             where key >= ?1 and key < ?2 order by key limit ?3",
        )?;
        let rows = select.query_map((start, end, limit), |row| {
            Ok((row.get(0)?, versioned(row, 1)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What became of a transaction.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn status(&self, tx_id: &str) -> Result<Option<CommitStatus>, StoreError> {
        let mut select = self
            .connection
            .prepare_cached("select flag, block from transactions where tx_id = ?1")?;
        let found = select.query_row([tx_id], |row| Ok(commit_status((row.get(0)?, row.get(1)?))));
        Ok(found.optional()?)
    }
}

fn has_its_envelopes(block: &common::Block) -> bool {
    let data = block.data.clone().unwrap_or_default();
    let header = block.header.as_ref();
    header.is_some_and(|header| header.data_hash == block::data_hash(&data))
}
