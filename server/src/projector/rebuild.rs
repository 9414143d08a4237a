//! The read model made once more, from the chain's first block, in a database beside the
//! live one: by the partitions that make the live one, in greater groups of blocks and
//! without outcomes, which are not exchanged.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use anyhow::{Context as _, bail};
use futures::{FutureExt as _, StreamExt as _, future::try_join_all};
use gx_fabric::{Block, BlockStream};

use super::{Applied, Partition, Parts};

/// Most blocks in one transaction.
const GROUP_BLOCKS: usize = 256;
/// Most bytes of events in one transaction, but for the last block's.
const GROUP_BYTES: usize = 8 << 20;
/// Most partitions that go on at once: as many as the database has connections.
const AT_ONCE: usize = 8;
/// Most blocks that are read ahead.
const AHEAD: usize = 256;

/// How far each partition is; -1 before the first block.
pub type Progress = Arc<[AtomicI64]>;

/// All partitions of a read model that is made once more.
#[derive(Debug)]
pub struct Rebuild {
    followers: Vec<Follower>,
    progress: Progress,
}

struct Follower {
    partition: Partition,
    blocks: BlockStream,
    /// Read, not applied.
    ahead: VecDeque<Block>,
    block: i64,
}

impl Rebuild {
    /// Begins with an empty database, which `parts` name.
    ///
    /// # Errors
    /// If the database is not empty, or it or the ledger fails.
    pub async fn begin(parts: &Parts, partitions: i32) -> anyhow::Result<Self> {
        let mut followers = Vec::new();
        for number in 0..partitions {
            let partition = Partition::new(parts.clone(), number, partitions);
            let mut partition = partition.without_outcomes();
            if partition.lease().await? != Some(0) {
                bail!("partition {number} does not begin with block 0");
            }
            followers.push(Follower {
                partition,
                blocks: parts.ledger.blocks(0).await?,
                ahead: VecDeque::new(),
                block: -1,
            });
        }
        let progress = followers.iter().map(|_| AtomicI64::new(-1)).collect();
        Ok(Self {
            followers,
            progress,
        })
    }

    /// How far it is, to look at meanwhile.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Applies blocks until each partition is at its target, which the chain has.
    ///
    /// # Errors
    /// If a partition is beyond its target or a block cannot be applied, or the database
    /// or the ledger fails.
    pub async fn reach(&mut self, targets: &[i64]) -> anyhow::Result<()> {
        let all = self.followers.iter_mut().zip(targets);
        let mut all: Vec<_> = all.zip(self.progress.iter()).collect();
        for some in all.chunks_mut(AT_ONCE) {
            let some = some.iter_mut();
            try_join_all(some.map(|((one, target), at)| one.reach(**target, at))).await?;
        }
        Ok(())
    }

    /// Takes the blocks that the ledger has sent already.
    fn read_ahead(&mut self) -> anyhow::Result<()> {
        self.followers.iter_mut().try_for_each(Follower::read_ahead)
    }

    /// As [`Rebuild::reach`] without waiting for the ledger; `false`, and nothing is
    /// applied, if it has not sent all blocks yet.
    ///
    /// # Errors
    /// If a partition is beyond its target or a block cannot be applied, or the ledger's
    /// stream or the database failed.
    pub async fn reach_read(&mut self, targets: &[i64]) -> anyhow::Result<bool> {
        self.read_ahead()?;
        let mut all = self.followers.iter().zip(targets);
        if !all.all(|(one, target)| one.has_read(*target)) {
            return Ok(false);
        }
        self.reach(targets).await?;
        Ok(true)
    }
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower")
            .field("partition", &self.partition.number())
            .field("block", &self.block)
            .finish_non_exhaustive()
    }
}

impl Follower {
    async fn reach(&mut self, target: i64, at: &AtomicI64) -> anyhow::Result<()> {
        let number = self.partition.number();
        if self.block > target {
            bail!(
                "partition {number} of the live read model went back to block {target}: \
                 a database was restored meanwhile"
            );
        }
        while self.block < target {
            let group = self.group(target).await?;
            match self.partition.apply(&group).await? {
                Applied::Yes => {}
                Applied::Elsewhere => bail!("block {} does not follow", self.block + 1),
                Applied::Stopped(why) => bail!("partition {number} cannot go on: {why}"),
            }
            self.block += i64::try_from(group.len())?;
            at.store(self.block, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The next blocks, one at least, none beyond the target.
    async fn group(&mut self, target: i64) -> anyhow::Result<Vec<Block>> {
        let most = usize::try_from(target - self.block)?.min(GROUP_BLOCKS);
        let (mut group, mut bytes) = (Vec::new(), 0);
        while group.len() < most && bytes < GROUP_BYTES {
            let block = match self.ahead.pop_front() {
                Some(block) => block,
                None => {
                    let next = self.blocks.next().await;
                    next.context("the ledger sends no more blocks")??
                }
            };
            let events = block
                .transactions
                .iter()
                .filter_map(|one| one.event.as_ref());
            bytes += events.map(|event| event.len()).sum::<usize>();
            group.push(block);
        }
        Ok(group)
    }

    fn read_ahead(&mut self) -> anyhow::Result<()> {
        while self.ahead.len() < AHEAD
            && let Some(next) = self.blocks.next().now_or_never()
        {
            let block = next.context("the ledger sends no more blocks")??;
            self.ahead.push_back(block);
        }
        Ok(())
    }

    fn has_read(&self, target: i64) -> bool {
        i64::try_from(self.ahead.len()).is_ok_and(|read| self.block + read >= target)
    }
}
