//! `gx devnet inspect`: whether the chain in `data_dir` is whole, and how far it is.
//!
//! It reads the files, not the network: it answers while `gx` runs, while it is
//! stopped, and where a damaged file keeps it from starting.

use std::{
    fmt,
    io::{IsTerminal, Write, stderr},
    path::PathBuf,
};

use anyhow::Context as _;
use gx_fabric::{
    block,
    devnet::{BlockReader, StateReader},
    header::Headers,
    proto::common,
};
use serde::Serialize;

use crate::{
    config::Config,
    network::DEVNET,
    ops::{open::STARTED, report::Report, table::moment},
};

/// So many blocks are read between two words of how far it is.
const PROGRESS_BLOCKS: u64 = 10_000;

/// Nothing to choose.
#[derive(Debug, clap::Args)]
pub struct Options {}

/// What stands in the files.
#[derive(Debug, Serialize)]
pub struct Inspected {
    /// The devnet's folder.
    folder: PathBuf,
    /// Blocks that are whole and follow each other, from block 0 on.
    height: u64,
    /// The last of them.
    last: Option<LastBlock>,
    /// Transactions in them, valid or not.
    transactions: u64,
    /// Blocks that the state has followed; it may be a few behind.
    state_height: u64,
    /// Keys in the state.
    keys: u64,
    /// What does not check.
    fault: Option<String>,
}

/// A block, as its header and its last envelope say.
#[derive(Debug, Serialize)]
struct LastBlock {
    number: u64,
    /// In hexadecimal.
    hash: String,
    /// When its last envelope was made, in milliseconds since the Unix epoch.
    time_ms: i64,
}

/// Reads the whole block file, and the state as it is at one moment.
///
/// # Errors
/// If there are no files of a devnet, or they cannot be read.
pub async fn inspect(config: Config, _: Options) -> anyhow::Result<Inspected> {
    let folder = config.data_dir().join(DEVNET);
    tokio::task::spawn_blocking(move || read(folder)).await?
}

fn read(folder: PathBuf) -> anyhow::Result<Inspected> {
    let unreadable = || format!("the devnet in {}; {STARTED}", folder.display());
    let blocks = BlockReader::open(&folder).with_context(unreadable)?;
    // Before the blocks: the state is never ahead of them.
    let state = StateReader::open(&folder).with_context(unreadable)?;
    let keys = state.keys().with_context(unreadable)?;
    let mut inspected = Inspected {
        height: 0,
        last: None,
        transactions: 0,
        state_height: state.height(),
        keys,
        fault: None,
        folder,
    };
    let state_hash = state.hash().to_vec();
    drop(state);
    inspected.walk(blocks, &state_hash);
    Ok(inspected)
}

impl Inspected {
    fn walk(&mut self, blocks: BlockReader, state_hash: &[u8]) {
        let mut progress = Progress::begin();
        let mut last = None;
        for block in blocks {
            let block = match block {
                Ok(block) => block,
                Err(error) => {
                    self.fault = Some(format!("{:#}", anyhow::Error::new(error)));
                    break;
                }
            };
            self.height += 1;
            self.transactions += envelopes(&block).len() as u64;
            if self.height == self.state_height && block::hash(&block) != *state_hash {
                let number = self.height - 1;
                self.fault = Some(format!("the state has followed another block {number}"));
            }
            progress.tell(self.height);
            last = Some(block);
        }
        progress.end();
        self.last = last.map(|block| LastBlock {
            number: self.height - 1,
            hash: hex::encode(block::hash(&block)),
            time_ms: time_ms(&block),
        });
        if self.fault.is_none() && self.height < self.state_height {
            let state = self.state_height;
            self.fault = Some(format!("the state is ahead of the blocks, at {state}"));
        }
    }
}

fn envelopes(block: &common::Block) -> &[bytes::Bytes] {
    block.data.as_ref().map_or(&[], |data| &data.data)
}

fn time_ms(block: &common::Block) -> i64 {
    let last = envelopes(block).last();
    let opened = last.and_then(|envelope| Headers::open(envelope).ok());
    opened.map_or(0, |(headers, _)| headers.time_ms())
}

/// How far it is, for people who wait at a terminal.
struct Progress {
    shown: bool,
    is_watched: bool,
}

impl Progress {
    fn begin() -> Self {
        Self {
            shown: false,
            is_watched: stderr().is_terminal(),
        }
    }

    fn tell(&mut self, blocks: u64) {
        if self.is_watched && blocks.is_multiple_of(PROGRESS_BLOCKS) {
            self.shown = true;
            let _ = write!(stderr(), "\r{blocks} blocks are whole so far");
        }
    }

    /// Takes the line back.
    fn end(&self) {
        if self.shown {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

impl Report for Inspected {
    fn is_sound(&self) -> bool {
        self.fault.is_none()
    }
}

impl fmt::Display for Inspected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            folder,
            height,
            transactions,
            state_height,
            keys,
            ..
        } = self;
        writeln!(f, "folder        {}", folder.display())?;
        writeln!(
            f,
            "blocks        {height}, with {transactions} transactions"
        )?;
        if let Some(LastBlock {
            number,
            hash,
            time_ms,
        }) = &self.last
        {
            let time = moment(*time_ms);
            writeln!(f, "last block    {number} of {time}, hash {hash}")?;
        }
        writeln!(f, "state         {keys} keys after {state_height} blocks")?;
        match &self.fault {
            None => f.write_str("chain         whole"),
            Some(fault) => write!(f, "chain         NOT WHOLE: {fault}"),
        }
    }
}
