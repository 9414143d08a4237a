//! The devnet's core: synchronous, stepped from outside, with no timer and no task.

use std::{
    path::Path,
    sync::{Mutex, RwLock},
};

use bytes::Bytes;
use tokio::sync::{Notify, watch};

use super::{
    blocks::Blocks,
    committer::Committer,
    faults::Faults,
    genesis,
    lock::{lock, read, write},
    options::CoreOptions,
    sequencer::Sequencer,
    store::{self, StoreError},
    validator::{Validator, replay},
    wellformed::Rules,
    world::{Effects, World},
};
use crate::{CommitStatus, LedgerError, block, proto::common};

/// How far the chain is; what waiting callers watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The number of blocks.
    pub height: u64,
    /// Nothing will be committed any more.
    pub closed: bool,
}

/// A Fabric in one process. Shared by reference: endorsements run beside each other
/// and beside a commit, which shuts them out only to swap the state.
pub struct Core {
    pub(super) options: CoreOptions,
    pub(super) world: RwLock<World>,
    pub(super) faults: Mutex<Faults>,
    pub(super) submitted: Notify,
    /// Tells when faults were switched.
    pub(super) switched: Notify,
    sequencer: Mutex<Sequencer>,
    committer: Mutex<Committer>,
    blocks: Blocks,
    progress: watch::Sender<Progress>,
}

impl Core {
    /// A chain with block 0 that lives and dies with the process.
    pub fn in_memory(options: CoreOptions) -> Self {
        let genesis = genesis::block(&options);
        let mut world = World::default();
        world.apply(replay(&genesis).unwrap_or_else(|_| Effects {
            hash: block::hash(&genesis),
            ..Effects::default()
        }));
        let blocks = Blocks::Memory(RwLock::new(vec![genesis]));
        Self::new(options, blocks, Committer::default(), world)
    }

    /// The chain in a folder, as its only writer; begins one where there is none.
    /// What a crash left half-written is cut off, and the state made to follow.
    ///
    /// # Errors
    /// If the folder cannot be read or written, is in use or is damaged.
    pub fn open(options: CoreOptions, folder: &Path) -> Result<Self, StoreError> {
        let genesis = genesis::block(&options);
        let (blocks, state, world) = store::open(folder, &genesis)?;
        Ok(Self::new(
            options,
            blocks,
            Committer::new(Some(state)),
            world,
        ))
    }

    fn new(options: CoreOptions, blocks: Blocks, committer: Committer, world: World) -> Self {
        let progress = Progress {
            height: world.height,
            closed: false,
        };
        Self {
            options,
            world: RwLock::new(world),
            faults: Mutex::default(),
            submitted: Notify::new(),
            switched: Notify::new(),
            sequencer: Mutex::default(),
            committer: Mutex::new(committer),
            blocks,
            progress: watch::Sender::new(progress),
        }
    }

    /// An independent copy in memory as everything stands now, pending envelopes and
    /// faults included.
    ///
    /// # Errors
    /// If the blocks are on disk and cannot be read.
    pub fn fork(&self) -> Result<Self, StoreError> {
        let _nobody_commits = lock(&self.committer);
        let world = read(&self.world).clone();
        let fork = Self::new(
            self.options.clone(),
            self.blocks.copy()?,
            Committer::default(),
            world,
        );
        *lock(&fork.sequencer) = lock(&self.sequencer).clone();
        *lock(&fork.faults) = lock(&self.faults).clone();
        Ok(fork)
    }

    /// What the devnet is made of.
    pub fn options(&self) -> &CoreOptions {
        &self.options
    }

    /// Switches faults on and off.
    pub fn faults(&self, switch: impl FnOnce(&mut Faults)) {
        switch(&mut lock(&self.faults));
        self.switched.notify_waiters();
    }

    /// Hands an envelope to the orderer, which looks at its size, its header and, where
    /// certificates count, its signature only.
    ///
    /// # Errors
    /// As for [`Ledger::submit`](crate::Ledger::submit).
    pub fn submit(&self, envelope: &Bytes) -> Result<(), LedgerError> {
        self.check_envelope(envelope)?;
        self.order(envelope)
    }

    /// Takes an envelope that was checked.
    pub(super) fn order(&self, envelope: &Bytes) -> Result<(), LedgerError> {
        let mut sequencer = lock(&self.sequencer);
        if sequencer.is_closed() {
            return Err(shut_down());
        }
        let (copies, answer) = lock(&self.faults).submit();
        for _ in 0..copies {
            sequencer.push(envelope.clone());
        }
        self.submitted.notify_one();
        answer
    }

    /// How many envelopes wait for a block.
    pub fn pending(&self) -> usize {
        lock(&self.sequencer).len()
    }

    /// Whether the next block need not wait for its time.
    pub fn is_full(&self) -> bool {
        lock(&self.sequencer).is_full(&self.options.limits)
    }

    /// Makes one block of pending envelopes, in the order of their arrival, as many as
    /// one may have; the answer is its number. Makes none where nothing is pending.
    ///
    /// # Errors
    /// If the block cannot be made durable. What is on disk is then unknown: the core
    /// is closed, and the folder must be opened anew.
    pub fn cut_block(&self) -> Result<Option<u64>, LedgerError> {
        let mut committer = lock(&self.committer);
        let envelopes = lock(&self.sequencer).take(&self.options.limits);
        if envelopes.is_empty() {
            return Ok(None);
        }
        let (block, effects) = self.validate(envelopes);
        let number = effects.number;
        if let Err(error) = committer.commit(&self.blocks, &block, &effects) {
            self.close();
            return Err(error.into());
        }
        write(&self.world).apply(effects);
        self.progress
            .send_modify(|progress| progress.height = number + 1);
        Ok(Some(number))
    }

    fn validate(&self, envelopes: Vec<Bytes>) -> (common::Block, Effects) {
        let rules = Rules::new(&self.options);
        let checked = envelopes.iter().map(|envelope| rules.check(envelope));
        let checked = checked.collect();
        let world = read(&self.world);
        let mut conflicts = lock(&self.faults).conflicts;
        let (flags, mut effects) = Validator::new(&world, &mut conflicts).judge(checked);
        lock(&self.faults).conflicts = conflicts;
        let previous_hash = Bytes::copy_from_slice(&world.hash);
        let block = block::assemble(world.height, previous_hash, envelopes, &flags);
        effects.hash = block::hash(&block);
        (block, effects)
    }

    /// Takes no more envelopes; those that are pending can still be cut.
    pub fn stop_taking(&self) {
        lock(&self.sequencer).close();
        self.submitted.notify_one();
    }

    /// Tells all that wait that nothing will come any more.
    pub fn close(&self) {
        self.stop_taking();
        self.progress.send_modify(|progress| progress.closed = true);
    }

    /// What became of a transaction; `None` while it stands in no block.
    pub fn status(&self, tx_id: &str) -> Option<CommitStatus> {
        read(&self.world).statuses.get(tx_id).copied()
    }

    /// A block; `None` while there is none with this number.
    ///
    /// # Errors
    /// If it cannot be read from disk.
    pub fn block(&self, number: u64) -> Result<Option<common::Block>, LedgerError> {
        Ok(self.blocks.read(number)?)
    }

    /// The number of blocks.
    pub fn height(&self) -> u64 {
        read(&self.world).height
    }

    /// Whether blocks outlive the process, so that cutting one waits for a disk.
    pub fn is_durable(&self) -> bool {
        self.blocks.is_durable()
    }

    /// Watches the chain grow.
    pub fn watch(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }
}

/// What everybody hears once the core is closed.
pub(super) fn shut_down() -> LedgerError {
    LedgerError::Unavailable {
        message: "the devnet is shut down".into(),
    }
}
