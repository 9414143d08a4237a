//! A world state in memory that behaves as a peer's: reads see what is
//! committed, never the transaction's own writes.

use std::collections::{BTreeMap, BTreeSet};

use crate::state::{State, StateError};

/// The state, and what the transaction under way read and wrote.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryState {
    pub(crate) committed: BTreeMap<String, Vec<u8>>,
    pub(crate) reads: BTreeSet<String>,
    /// In order of arrival; `None` deletes.
    pub(crate) writes: Vec<(String, Option<Vec<u8>>)>,
    pub(crate) prefetches: Vec<Vec<String>>,
    pub(crate) ranges: usize,
    /// Reads of keys that were not announced.
    pub(crate) single_reads: usize,
    /// Reading this key fails.
    pub(crate) broken_key: Option<String>,
}

impl MemoryState {
    /// Forgets the transaction under way.
    pub(crate) fn roll_back(&mut self) {
        *self = Self {
            committed: std::mem::take(&mut self.committed),
            broken_key: self.broken_key.take(),
            ..Self::default()
        };
    }

    /// Makes the transaction's writes the state.
    pub(crate) fn commit(&mut self) {
        for (key, value) in std::mem::take(&mut self.writes) {
            match value {
                Some(value) => self.committed.insert(key, value),
                None => self.committed.remove(&key),
            };
        }
        self.roll_back();
    }

    /// The keys that the transaction writes or deletes.
    pub(crate) fn written(&self) -> BTreeSet<String> {
        self.writes.iter().map(|(key, _)| key.clone()).collect()
    }

    fn read(&mut self, key: &str) -> Result<Option<Vec<u8>>, StateError> {
        if self.broken_key.as_deref() == Some(key) {
            return Err(StateError("planted".into()));
        }
        self.reads.insert(key.to_owned());
        Ok(self.committed.get(key).cloned())
    }
}

impl State for MemoryState {
    fn prefetch(&mut self, keys: &[String]) -> Result<(), StateError> {
        self.prefetches.push(keys.to_vec());
        for key in keys {
            self.read(key)?;
        }
        Ok(())
    }

    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, StateError> {
        if !self.reads.contains(key) {
            self.single_reads += 1;
        }
        self.read(key)
    }

    fn range(
        &mut self,
        start: &str,
        end: &str,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, StateError> {
        self.ranges += 1;
        let range = self.committed.range(start.to_owned()..end.to_owned());
        let found = range.take(limit);
        Ok(found
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }

    fn put(&mut self, key: String, value: Vec<u8>) {
        self.writes.push((key, Some(value)));
    }

    fn delete(&mut self, key: String) {
        self.writes.push((key, None));
    }
}
