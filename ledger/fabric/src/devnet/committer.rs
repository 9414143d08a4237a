//! The one writer of blocks and state.

use super::{blocks::Blocks, state_file::StateFile, store::StoreError, world::Effects};
use crate::proto::common;

/// Whoever holds it may commit.
#[derive(Default)]
pub(super) struct Committer {
    state: Option<StateFile>,
    broken: bool,
}

impl Committer {
    /// With a state file, or without one in memory.
    pub(super) fn new(state: Option<StateFile>) -> Self {
        Self {
            state,
            broken: false,
        }
    }

    /// Makes a block durable, then lets the state follow. A failure leaves it unknown
    /// what is on disk, so nothing is committed after one.
    pub(super) fn commit(
        &mut self,
        blocks: &Blocks,
        block: &common::Block,
        effects: &Effects,
    ) -> Result<(), StoreError> {
        if std::mem::replace(&mut self.broken, true) {
            return Err(StoreError::Broken);
        }
        blocks.append(block)?;
        if let Some(state) = &mut self.state {
            state.follow(effects)?;
        }
        self.broken = false;
        Ok(())
    }
}
