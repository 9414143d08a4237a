//! What a batch reads and writes, before any of it reaches the state: reads are
//! kept, a batch reads its own writes, and all writes leave at the end, each key
//! once and in key order.

use std::collections::BTreeMap;

use prost::Message;

use crate::state::{State, StateError};

/// The state with a batch's writes laid over it.
pub(crate) struct Overlay<'a> {
    state: &'a mut dyn State,
    entries: BTreeMap<String, Entry>,
}

struct Entry {
    committed: Committed,
    current: Option<Vec<u8>>,
}

enum Committed {
    /// Written without a look at what was there.
    Unread,
    Read(Option<Vec<u8>>),
}

impl<'a> Overlay<'a> {
    pub(crate) fn new(state: &'a mut dyn State) -> Self {
        Self {
            state,
            entries: BTreeMap::new(),
        }
    }

    /// Announces keys that are about to be read, in one go.
    pub(crate) fn prefetch(&mut self, keys: &[String]) -> Result<(), StateError> {
        if keys.is_empty() {
            return Ok(());
        }
        self.state.prefetch(keys)
    }

    /// The record as the batch sees it now.
    pub(crate) fn get<M: Message + Default>(&mut self, key: &str) -> Result<Option<M>, StateError> {
        if !self.entries.contains_key(key) {
            let value = self.state.get(key)?;
            let entry = Entry {
                committed: Committed::Read(value.clone()),
                current: value,
            };
            self.entries.insert(key.to_owned(), entry);
        }
        let current = self
            .entries
            .get(key)
            .and_then(|entry| entry.current.as_deref());
        current.map(|bytes| decode(key, bytes)).transpose()
    }

    /// Writes a record; blind if its key was not read.
    pub(crate) fn put(&mut self, key: String, record: &impl Message) {
        self.set(key, Some(record.encode_to_vec()));
    }

    /// Removes a record.
    pub(crate) fn remove(&mut self, key: String) {
        self.set(key, None);
    }

    /// Whether the batch changes the key.
    pub(crate) fn changes(&self, key: &str) -> bool {
        self.entries.get(key).is_some_and(Entry::is_changed)
    }

    /// Hands all changes to the state, in key order.
    pub(crate) fn flush(self) {
        for (key, entry) in self.entries {
            if !entry.is_changed() {
                continue;
            }
            match entry.current {
                Some(value) => self.state.put(key, value),
                None => self.state.delete(key),
            }
        }
    }

    fn set(&mut self, key: String, value: Option<Vec<u8>>) {
        let entry = self.entries.entry(key).or_insert(Entry {
            committed: Committed::Unread,
            current: None,
        });
        entry.current = value;
    }
}

impl Entry {
    fn is_changed(&self) -> bool {
        match &self.committed {
            Committed::Unread => true,
            Committed::Read(value) => *value != self.current,
        }
    }
}

/// Reads a stored record.
pub(crate) fn decode<M: Message + Default>(key: &str, bytes: &[u8]) -> Result<M, StateError> {
    M::decode(bytes).map_err(|error| StateError(format!("record {key}: {error}")))
}
