//! The world state in memory, and views of it: as it is, as it was some blocks
//! ago, as it will be after the transactions before this one.

use std::{
    collections::{BTreeMap, VecDeque, btree_map},
    iter::Peekable,
    ops::Bound,
};

use bytes::Bytes;

use crate::{CommitStatus, ValidationFlag};

/// How many blocks a view can go back.
const UNDO_BLOCKS: usize = 64;

/// Which transaction wrote a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The number of its block.
    pub block: u64,
    /// Its place in the block.
    pub transaction: u64,
}

/// A value, and which transaction wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    /// The value.
    pub value: Bytes,
    /// Who wrote it.
    pub version: Version,
}

/// All keys that exist.
pub(super) type State = BTreeMap<String, Versioned>;
/// Keys that are written, or removed.
pub(super) type Changes = BTreeMap<String, Option<Versioned>>;

/// What one block does.
#[derive(Debug, Clone, Default)]
pub(super) struct Effects {
    /// The block's number.
    pub(super) number: u64,
    /// The hash of its header.
    pub(super) hash: [u8; 32],
    /// What its valid transactions wrote.
    pub(super) changes: Changes,
    /// The flags of transactions, in order. The first one of an id counts: whoever
    /// brings an id into the chain first has it, as on Fabric.
    pub(super) flags: Vec<(String, ValidationFlag)>,
}

impl Effects {
    /// Notes what became of a transaction, if it has an id.
    pub(super) fn note(&mut self, tx_id: String, flag: ValidationFlag) {
        if !tx_id.is_empty() {
            self.flags.push((tx_id, flag));
        }
    }
}

/// Everything that is committed.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    pub(super) state: State,
    pub(super) statuses: BTreeMap<String, CommitStatus>,
    /// The number of blocks.
    pub(super) height: u64,
    /// The hash of the last block.
    pub(super) hash: [u8; 32],
    /// What the last blocks replaced, newest first.
    pub(super) undo: VecDeque<Changes>,
}

impl World {
    /// Takes a block in; the one that follows.
    pub(super) fn apply(&mut self, effects: Effects) {
        let block = effects.number;
        for (tx_id, flag) in effects.flags {
            self.statuses
                .entry(tx_id)
                .or_insert(CommitStatus { flag, block });
        }
        let mut replaced = Changes::new();
        for (key, change) in effects.changes {
            let before = match change {
                Some(value) => self.state.insert(key.clone(), value),
                None => self.state.remove(&key),
            };
            replaced.insert(key, before);
        }
        self.undo.push_front(replaced);
        self.undo.truncate(UNDO_BLOCKS);
        self.height = block + 1;
        self.hash = effects.hash;
    }

    /// The changes that lead back to the state before the last `blocks` blocks, as
    /// far as they are remembered.
    pub(super) fn back(&self, blocks: u64) -> Changes {
        let blocks = usize::try_from(blocks).unwrap_or(usize::MAX);
        let mut changes = Changes::new();
        for replaced in self.undo.iter().take(blocks) {
            changes.extend(
                replaced
                    .iter()
                    .map(|(key, before)| (key.clone(), before.clone())),
            );
        }
        changes
    }

    /// The state with changes laid over it.
    pub(super) fn view<'a>(&'a self, changes: &'a Changes) -> View<'a> {
        View {
            state: &self.state,
            changes,
        }
    }
}

/// A state with changes laid over it.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    state: &'a State,
    changes: &'a Changes,
}

impl<'a> View<'a> {
    /// A key's value.
    pub(super) fn get(&self, key: &str) -> Option<&'a Versioned> {
        match self.changes.get(key) {
            Some(change) => change.as_ref(),
            None => self.state.get(key),
        }
    }

    /// The keys from `start` to `end` in order of their bytes.
    pub(super) fn range(&self, start: &'a str, end: Bound<&'a str>) -> Range<'a> {
        let empty = match end {
            Bound::Included(end) => end < start,
            Bound::Excluded(end) => end <= start,
            Bound::Unbounded => false,
        };
        // A range whose end lies before its start would panic.
        let bounds = match empty {
            true => (Bound::Included(start), Bound::Excluded(start)),
            false => (Bound::Included(start), end),
        };
        Range {
            state: self.state.range::<str, _>(bounds).peekable(),
            changes: self.changes.range::<str, _>(bounds).peekable(),
        }
    }
}

/// Keys in order; made by [`View::range`].
pub(super) struct Range<'a> {
    state: Peekable<btree_map::Range<'a, String, Versioned>>,
    changes: Peekable<btree_map::Range<'a, String, Option<Versioned>>>,
}

impl<'a> Iterator for Range<'a> {
    type Item = (&'a String, &'a Versioned);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some((changed, _)) = self.changes.peek() else {
                return self.state.next();
            };
            if let Some(kept) = self.state.next_if(|(key, _)| key < changed) {
                return Some(kept);
            }
            let (key, change) = self.changes.next()?;
            self.state.next_if(|(kept, _)| *kept == key);
            if let Some(value) = change {
                return Some((key, value));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(block: u64) -> Versioned {
        Versioned {
            value: Bytes::new(),
            version: Version {
                block,
                transaction: 0,
            },
        }
    }

    fn block(number: u64, changes: &[(&str, bool)]) -> Effects {
        let changes = changes
            .iter()
            .map(|(key, kept)| (key.to_string(), kept.then(|| value(number))));
        Effects {
            number,
            changes: changes.collect(),
            ..Effects::default()
        }
    }

    fn keys(view: View<'_>, start: &str, end: &str) -> String {
        let found = view.range(start, Bound::Excluded(end));
        found
            .map(|(key, value)| format!("{key}{} ", value.version.block))
            .collect()
    }

    #[test]
    fn a_view_goes_back_block_by_block() {
        let mut world = World::default();
        world.apply(block(0, &[("a", true), ("b", true)]));
        world.apply(block(1, &[("b", false), ("c", true)]));
        world.apply(block(2, &[("a", true), ("b", true)]));
        let seen = |blocks| keys(world.view(&world.back(blocks)), "a", "z");
        assert_eq!(seen(0), "a2 b2 c1 ");
        assert_eq!(seen(1), "a0 c1 ");
        assert_eq!(seen(2), "a0 b0 ");
        assert_eq!(seen(3), "");
        assert_eq!(seen(9), "");
    }

    #[test]
    fn a_range_ends_before_its_end_and_may_be_empty() {
        let mut world = World::default();
        world.apply(block(0, &[("a", true), ("b", true)]));
        let none = Changes::new();
        let view = world.view(&none);
        assert_eq!(keys(view, "a", "b"), "a0 ");
        assert_eq!(keys(view, "b", "a"), "");
        assert_eq!(view.range("a", Bound::Included("b")).count(), 2);
        assert_eq!(view.range("b", Bound::Unbounded).count(), 1);
    }
}
