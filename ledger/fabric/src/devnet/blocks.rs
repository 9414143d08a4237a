//! Where blocks are kept: in a file, or in memory.

use std::sync::RwLock;

use super::{block_file::BlockFile, lock, store::StoreError};
use crate::proto::common;

/// All blocks, by number.
pub(super) enum Blocks {
    /// Gone with the process.
    Memory(RwLock<Vec<common::Block>>),
    /// On disk.
    File(BlockFile),
}

impl Blocks {
    /// The number of blocks.
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Memory(blocks) => lock::read(blocks).len() as u64,
            Self::File(file) => file.len(),
        }
    }

    /// Reads a block; `None` if there is no such one.
    pub(super) fn read(&self, number: u64) -> Result<Option<common::Block>, StoreError> {
        match self {
            Self::Memory(blocks) => {
                let index = usize::try_from(number).unwrap_or(usize::MAX);
                Ok(lock::read(blocks).get(index).cloned())
            }
            Self::File(file) => file.read(number),
        }
    }

    /// Keeps the next block; it is durable afterwards if it ever will be.
    pub(super) fn append(&self, block: &common::Block) -> Result<(), StoreError> {
        match self {
            Self::Memory(blocks) => lock::write(blocks).push(block.clone()),
            Self::File(file) => file.append(block)?,
        }
        Ok(())
    }

    /// Whether blocks outlive the process, and keeping one takes a disk's time.
    pub(super) fn is_durable(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// A copy in memory.
    pub(super) fn copy(&self) -> Result<Self, StoreError> {
        let blocks: Result<Vec<_>, _> = (0..self.len())
            .filter_map(|number| self.read(number).transpose())
            .collect();
        Ok(Self::Memory(RwLock::new(blocks?)))
    }
}
