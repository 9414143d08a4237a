//! The devnet's folder: opening it brings block file and state file together.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{
    block_file::BlockFile, blocks::Blocks, state_file::StateFile, validator::replay, world::World,
};
use crate::{LedgerError, block, header::Headers, proto::common};

/// The block file's name in the devnet's folder.
pub const BLOCKS_FILE: &str = "blocks.bin";
/// The state file's name in the devnet's folder.
pub const STATE_FILE: &str = "state.sqlite";

/// What can be wrong with the devnet's files.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refuses.
    #[error("{path}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process, or another part of this one, writes the file.
    #[error("{path} is in use by another writer")]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// A block that was whole once is not any more; nothing is cut off.
    #[error("{path} is damaged at byte {offset}: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the damaged record begins.
        offset: u64,
        /// What stands there.
        what: &'static str,
    },
    /// The blocks are those of another channel.
    #[error("the blocks are of channel {found:?}")]
    OtherChannel {
        /// The channel that block 0 names.
        found: String,
    },
    /// The state file cannot be read or written.
    #[error("state file")]
    State(#[from] rusqlite::Error),
    /// A block cannot be read as one.
    #[error(transparent)]
    Block(#[from] LedgerError),
    /// An earlier write has failed: nobody knows what is on disk until it is opened
    /// again.
    #[error("an earlier write has failed")]
    Broken,
}

impl StoreError {
    /// Names the file in an error of the operating system.
    pub(super) fn io(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::Io {
            path: path.clone(),
            source,
        }
    }

    pub(super) fn damaged(path: &Path, offset: u64, what: &'static str) -> Self {
        Self::Damaged {
            path: path.into(),
            offset,
            what,
        }
    }
}

impl From<StoreError> for LedgerError {
    fn from(error: StoreError) -> Self {
        match std::error::Error::source(&error) {
            Some(source) => Self::internal(format!("{error}: {source}")),
            None => Self::internal(error),
        }
    }
}

/// Opens a folder, or begins a chain in it with `genesis`; the state follows.
pub(super) fn open(
    folder: &Path,
    genesis: &common::Block,
) -> Result<(Blocks, StateFile, World), StoreError> {
    fs::create_dir_all(folder).map_err(StoreError::io(folder))?;
    let blocks = BlockFile::open(&folder.join(BLOCKS_FILE))?;
    if blocks.len() == 0 {
        blocks.append(genesis)?;
        let entries = File::open(folder).and_then(|folder| folder.sync_all());
        entries.map_err(StoreError::io(folder))?;
    }
    let blocks = Blocks::File(blocks);
    check_channel(&blocks, genesis)?;

    let path = folder.join(STATE_FILE);
    let known = path.exists();
    let mut state = StateFile::open(&path)?;
    if !belongs(&state, &blocks)? {
        if known {
            tracing::info!("state is not of these blocks, making it from block 0 on");
        }
        state.clear()?;
    }
    for number in state.position()?.0..blocks.len() {
        if let Some(block) = blocks.read(number)? {
            state.follow(&replay(&block)?)?;
        }
    }
    let world = state.load()?;
    Ok((blocks, state, world))
}

/// Whether the state is one that these blocks lead to.
fn belongs(state: &StateFile, blocks: &Blocks) -> Result<bool, StoreError> {
    let (height, hash) = state.position()?;
    let Some(last) = height.checked_sub(1) else {
        return Ok(false);
    };
    let block = blocks.read(last)?;
    Ok(block.is_some_and(|block| block::hash(&block).as_slice() == hash))
}

fn check_channel(blocks: &Blocks, genesis: &common::Block) -> Result<(), StoreError> {
    let found = blocks.read(0)?.as_ref().map(channel).unwrap_or_default();
    match found == channel(genesis) {
        true => Ok(()),
        false => Err(StoreError::OtherChannel { found }),
    }
}

/// The channel that a first block names.
fn channel(block: &common::Block) -> String {
    let envelope = block.data.as_ref().and_then(|data| data.data.first());
    let headers = envelope.and_then(|envelope| Headers::open(envelope).ok());
    headers
        .map(|(headers, _)| headers.channel.channel_id)
        .unwrap_or_default()
}
