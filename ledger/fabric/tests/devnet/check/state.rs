//! The versions of keys, as the write sets of valid transactions lead to them.

use std::collections::{BTreeMap, BTreeSet};

use gx_fabric::proto::kvrwset::{
    KvRead, KvrwSet, RangeQueryInfo, Version, range_query_info::ReadsInfo,
};

use super::What;

/// Which transaction of which block.
pub(crate) type Place = (u64, u64);

/// Which transaction wrote each key last, and the ids that are taken.
#[derive(Default)]
pub(crate) struct State {
    versions: BTreeMap<String, Place>,
    ids: BTreeSet<String>,
    /// Ids of this block whose transactions were endorsed.
    block: (u64, BTreeSet<String>),
    /// Ids of this block that later blocks may not have.
    seen: BTreeSet<String>,
}

impl State {
    /// Begins another block, if this is one.
    pub(crate) fn enter(&mut self, number: u64) {
        if self.block.0 != number {
            self.ids.append(&mut self.seen);
            self.block = (number, BTreeSet::new());
        }
    }

    /// Notes an id that stands in the block, whatever becomes of it.
    pub(crate) fn see(&mut self, tx_id: &str) {
        self.seen.insert(tx_id.to_owned());
    }

    /// Whether an earlier block has the id.
    pub(crate) fn is_old(&self, tx_id: &str) -> bool {
        self.ids.contains(tx_id)
    }

    /// Takes the id for an endorsed transaction; false if another of the block has it.
    pub(crate) fn take(&mut self, tx_id: &str) -> bool {
        self.block.1.insert(tx_id.to_owned())
    }

    /// Whether all that was read is so still.
    pub(crate) fn check(&self, rwset: &KvrwSet) -> Result<(), What> {
        if !rwset.reads.iter().all(|read| self.is_current(read)) {
            return Err(What::ReadConflict);
        }
        let same = rwset
            .range_queries_info
            .iter()
            .all(|range| self.same(range));
        same.then_some(()).ok_or(What::PhantomRead)
    }

    fn is_current(&self, read: &KvRead) -> bool {
        self.versions.get(&read.key).map(version) == read.version
    }

    fn same(&self, range: &RangeQueryInfo) -> bool {
        let Some(ReadsInfo::RawReads(reads)) = &range.reads_info else {
            return false;
        };
        let within = |key: &&String| {
            let before = match range.itr_exhausted {
                true => range.end_key.is_empty() || **key < range.end_key,
                false => **key <= range.end_key,
            };
            **key >= range.start_key && before
        };
        let now: Vec<_> = self.versions.keys().filter(within).collect();
        let then: Vec<_> = reads.kv_reads.iter().map(|read| &read.key).collect();
        now == then && reads.kv_reads.iter().all(|read| self.is_current(read))
    }

    /// Lets a valid transaction write.
    pub(crate) fn write(&mut self, rwset: &KvrwSet, place: Place) {
        for write in &rwset.writes {
            if write.is_delete || write.value.is_empty() {
                self.versions.remove(&write.key);
            } else {
                self.versions.insert(write.key.clone(), place);
            }
        }
    }
}

fn version((block_num, tx_num): &Place) -> Version {
    Version {
        block_num: *block_num,
        tx_num: *tx_num,
    }
}
