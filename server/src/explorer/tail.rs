//! The last blocks, read once for all streams that follow the ledger.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;

use super::{query, whole::Whole};
use crate::{app::App, checkpoint, error::Result, watch::Look};

/// Most blocks that are kept.
const BLOCKS_MAX: u64 = 64;
/// Most commands that are kept, about 20 MB, unless one block alone has more.
const COMMANDS_MAX: usize = 20_000;

/// The last blocks, without a gap.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// How many blocks may be shown: the last one's number and one.
    pub(super) end: u64,
    blocks: VecDeque<Arc<Whole>>,
}

/// Follows the ledger's end.
#[derive(Debug, Default)]
pub(super) struct Ending {
    last: Mutex<Option<Arc<Tail>>>,
}

impl PartialEq for Tail {
    fn eq(&self, other: &Self) -> bool {
        self.end == other.end
    }
}

impl Tail {
    /// A block, if it is one of those that are kept.
    pub(super) fn get(&self, number: u64) -> Option<&Arc<Whole>> {
        let first = self.blocks.front()?.block.number;
        let place = number.checked_sub(first)?;
        self.blocks.get(usize::try_from(place).ok()?)
    }

    /// The blocks up to `end`: those that are kept and those that came since.
    async fn grown(&self, app: &App, end: u64) -> Result<Self> {
        let oldest = end.saturating_sub(BLOCKS_MAX);
        let mut blocks = self.blocks.clone();
        let mut next = self.end;
        if next < oldest {
            blocks.clear();
            next = oldest;
        }
        while next < end {
            let page = query::page(app.store.read(), next, end).await?;
            next += page.len() as u64;
            blocks.extend(page.into_iter().map(Arc::new));
        }
        let mut commands: usize = blocks.iter().map(|block| block.size()).sum();
        while blocks.len() > 1 && (commands > COMMANDS_MAX || blocks.len() as u64 > BLOCKS_MAX) {
            commands -= blocks.pop_front().map_or(0, |block| block.size());
        }
        Ok(Self { end, blocks })
    }
}

impl Ending {
    fn last(&self) -> Option<Arc<Tail>> {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[async_trait]
impl Look for Ending {
    type Key = ();
    type Value = Arc<Tail>;

    async fn look(&self, app: &App, _: &[()]) -> Result<Vec<((), Arc<Tail>)>> {
        let end = checkpoint::applied(app.store.read()).await?;
        let tail = match self.last() {
            Some(last) if last.end >= end => last,
            Some(last) => Arc::new(last.grown(app, end).await?),
            // What was there before is read by whoever wants it.
            None => Arc::new(Tail {
                end,
                blocks: VecDeque::new(),
            }),
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(tail.clone());
        Ok(vec![((), tail)])
    }
}
