//! The block file: append-only, one writer, any number of readers. A block counts
//! once it is on disk; opening cuts off what a crash left half-written.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::RwLock,
};

use prost::Message;

use super::{
    lock,
    record::{self, Record},
    store::StoreError,
};
use crate::{header_hash::header_hash, proto::common};

/// The open block file. The lock on it is released with it, also by a kill.
pub(super) struct BlockFile {
    path: PathBuf,
    file: File,
    /// Where each block begins, and where the next one will.
    offsets: RwLock<Vec<u64>>,
}

impl BlockFile {
    /// Opens or creates the file as its only writer and checks every block.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if somebody else writes it, [`StoreError::Damaged`] if
    /// a block that was whole once is not.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let options = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        let file = options.map_err(StoreError::io(path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { path: path.into() }),
            Err(TryLockError::Error(error)) => return Err(StoreError::io(path)(error)),
        }
        let mut blocks = Scan::new(path, file);
        let mut offsets = Vec::new();
        loop {
            offsets.push(blocks.offset);
            if blocks.next_block()?.is_none() {
                break;
            }
        }
        let Scan { offset, file, .. } = blocks;
        let len = file.metadata().map_err(StoreError::io(path))?.len();
        if len > offset {
            tracing::warn!(
                block_file.offset = offset,
                "cutting off a block that was not written whole"
            );
            file.set_len(offset).map_err(StoreError::io(path))?;
        }
        file.sync_all().map_err(StoreError::io(path))?;
        Ok(Self {
            path: path.into(),
            file,
            offsets: RwLock::new(offsets),
        })
    }

    /// The number of blocks.
    pub(super) fn len(&self) -> u64 {
        lock::read(&self.offsets).len() as u64 - 1
    }

    /// Reads a block; `None` if there is no such one.
    pub(super) fn read(&self, number: u64) -> Result<Option<common::Block>, StoreError> {
        let (offset, end) = {
            let offsets = lock::read(&self.offsets);
            let index = usize::try_from(number).unwrap_or(usize::MAX);
            match offsets.get(index..).and_then(<[u64]>::first_chunk) {
                Some([offset, end]) => (*offset, *end),
                None => return Ok(None),
            }
        };
        let damaged = || StoreError::damaged(&self.path, offset, "the block has changed on disk");
        match record::read(&self.file, offset, end).map_err(StoreError::io(&self.path))? {
            Record::Whole { bytes, .. } => common::Block::decode(bytes)
                .map(Some)
                .map_err(|_| damaged()),
            _ => Err(damaged()),
        }
    }

    /// Writes the next block and waits until it is on disk. After an error the file
    /// must be opened again: nobody knows what stands at its end. Callers append one
    /// at a time.
    pub(super) fn append(&self, block: &common::Block) -> Result<(), StoreError> {
        let record = record::encode(&block.encode_to_vec()).map_err(StoreError::io(&self.path))?;
        let end = lock::read(&self.offsets)
            .last()
            .copied()
            .unwrap_or_default();
        self.file
            .write_all_at(&record, end)
            .and_then(|()| self.file.sync_data())
            .map_err(StoreError::io(&self.path))?;
        lock::write(&self.offsets).push(end + record.len() as u64);
        Ok(())
    }
}

/// Walks through the blocks of a file and checks that they are a chain.
pub(super) struct Scan {
    path: PathBuf,
    pub(super) file: File,
    /// Where the next block begins, or will.
    pub(super) offset: u64,
    number: u64,
    hash: Vec<u8>,
}

impl Scan {
    /// Stands before the first block.
    pub(super) fn new(path: &Path, file: File) -> Self {
        Self {
            path: path.into(),
            file,
            offset: 0,
            number: 0,
            hash: Vec::new(),
        }
    }

    /// The next whole block; `None` at the end of the file and before a last block
    /// that is not written whole, which may be asked for again later.
    pub(super) fn next_block(&mut self) -> Result<Option<common::Block>, StoreError> {
        let io = StoreError::io(&self.path);
        let len = self.file.metadata().map_err(&io)?.len();
        match record::read(&self.file, self.offset, len).map_err(&io)? {
            Record::Whole { bytes, next } => {
                let block = common::Block::decode(bytes).map_err(|_| self.damaged("no block"))?;
                self.check(&block)?;
                self.offset = next;
                Ok(Some(block))
            }
            Record::Broken if self.any_block_after(len).map_err(&io)? => {
                Err(self.damaged("a broken record with whole ones after it"))
            }
            Record::Broken | Record::End => Ok(None),
        }
    }

    fn check(&mut self, block: &common::Block) -> Result<(), StoreError> {
        let header = block
            .header
            .as_ref()
            .ok_or_else(|| self.damaged("a block without a header"))?;
        if header.number != self.number || header.previous_hash != self.hash {
            return Err(self.damaged("a block that does not follow the one before"));
        }
        self.number += 1;
        self.hash = header_hash(header).to_vec();
        Ok(())
    }

    /// Whether a whole block stands anywhere after this place. Every block was on disk
    /// before the next was begun, so if one follows, what stands here was whole once
    /// and is damaged; if none does, a write was cut short.
    fn any_block_after(&self, len: u64) -> io::Result<bool> {
        let mut rest = vec![0; usize::try_from(len - self.offset).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut rest, self.offset)?;
        Ok((1..rest.len()).any(|start| record::first(&rest[start..]).is_some_and(is_block)))
    }

    fn damaged(&self, what: &'static str) -> StoreError {
        self.damaged_at(self.offset, what)
    }

    /// What is wrong with the record that begins there.
    pub(super) fn damaged_at(&self, offset: u64, what: &'static str) -> StoreError {
        StoreError::damaged(&self.path, offset, what)
    }
}

/// Whether these are the bytes of a block, and not bytes within one that happen to
/// have a good checksum before them.
fn is_block(bytes: &[u8]) -> bool {
    let header = common::Block::decode(bytes)
        .ok()
        .and_then(|block| block.header);
    header.is_some_and(|header| header.number > 0 && header.previous_hash.len() == 32)
}
