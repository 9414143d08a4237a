//! One run of the contract: reads come from a view of the state, and all that is
//! read and written is recorded in Fabric's read and write set.

use std::{collections::BTreeMap, ops::Bound};

use bytes::Bytes;
use gx_contract::{Host, State, StateError};

use super::world::{Version, Versioned, View};
use crate::proto::kvrwset;

/// A peer gives at most so many keys of a range, and does not say so.
const RANGE_KEYS_MAX: usize = 100_000;

/// The state as one transaction sees and changes it. It does not read its own
/// writes, as on Fabric.
pub(super) struct Simulation<'a> {
    view: View<'a>,
    reads: BTreeMap<String, Option<Version>>,
    ranges: Vec<kvrwset::RangeQueryInfo>,
    writes: BTreeMap<String, Option<Bytes>>,
    host: Host,
}

impl<'a> Simulation<'a> {
    pub(super) fn new(view: View<'a>, host: Host) -> Self {
        Self {
            host,
            view,
            reads: BTreeMap::new(),
            ranges: Vec::new(),
            writes: BTreeMap::new(),
        }
    }

    /// What was read and written, in order of keys: equal runs give equal bytes.
    pub(super) fn finish(self) -> kvrwset::KvrwSet {
        let reads = self
            .reads
            .into_iter()
            .map(|(key, version)| read(&key, version));
        kvrwset::KvrwSet {
            reads: reads.collect(),
            range_queries_info: self.ranges,
            writes: self.writes.into_iter().map(write).collect(),
            metadata_writes: Vec::new(),
        }
    }

    fn note(&mut self, key: &str) -> Option<&'a Versioned> {
        let found = self.view.get(key);
        self.reads
            .entry(key.into())
            .or_insert(found.map(|value| value.version));
        found
    }
}

impl State for Simulation<'_> {
    fn prefetch(&mut self, keys: &[String]) -> Result<(), StateError> {
        for key in keys {
            self.note(key);
        }
        Ok(())
    }

    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, StateError> {
        Ok(self.note(key).map(|found| found.value.to_vec()))
    }

    fn range(
        &mut self,
        start: &str,
        end: &str,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, StateError> {
        let limit = limit.min(RANGE_KEYS_MAX);
        let found: Vec<_> = self.view.range(start, range_end(end)).take(limit).collect();
        // Where the limit ended the range, only what was seen is known: up to the
        // last key, that one included.
        let exhausted = found.len() < limit;
        let end_key = match found.last() {
            Some((last, _)) if !exhausted => last.as_str(),
            _ => end,
        };
        let kv_reads = found
            .iter()
            .map(|(key, value)| read(key, Some(value.version)))
            .collect();
        if limit > 0 {
            self.ranges.push(kvrwset::RangeQueryInfo {
                start_key: start.into(),
                end_key: end_key.into(),
                itr_exhausted: exhausted,
                reads_info: Some(kvrwset::range_query_info::ReadsInfo::RawReads(
                    kvrwset::QueryReads { kv_reads },
                )),
            });
        }
        Ok(found
            .into_iter()
            .map(|(key, value)| (key.clone(), value.value.to_vec()))
            .collect())
    }

    fn put(&mut self, key: String, value: Vec<u8>) {
        self.writes.insert(key, Some(value.into()));
    }

    fn delete(&mut self, key: String) {
        self.writes.insert(key, None);
    }

    fn host(&mut self) -> Host {
        self.host
    }
}

/// The end of a range as chaincode gives it: without one it goes to the last key.
pub(super) fn range_end(end: &str) -> Bound<&str> {
    match end {
        "" => Bound::Unbounded,
        end => Bound::Excluded(end),
    }
}

/// A key as a transaction has read it.
pub(super) fn read(key: &str, version: Option<Version>) -> kvrwset::KvRead {
    let version = version.map(|version| kvrwset::Version {
        block_num: version.block,
        tx_num: version.transaction,
    });
    kvrwset::KvRead {
        key: key.into(),
        version,
    }
}

/// On Fabric an empty value is a removal too.
fn write((key, value): (String, Option<Bytes>)) -> kvrwset::KvWrite {
    let value = value.unwrap_or_default();
    kvrwset::KvWrite {
        key,
        is_delete: value.is_empty(),
        value,
    }
}
