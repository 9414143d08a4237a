//! The ledger's state as one transaction sees and changes it through its peer.
//! Writes leave at the end, each key once and in key order; nothing reads its own
//! writes, as on Fabric.

use std::collections::BTreeMap;

use bytes::Bytes;
use gx_contract::{Host, State, StateError};
use gx_proto::gx::contract::v1::StateDatabase;
use prost::Message;

use super::{capabilities::Capabilities, exchange::Exchange, range};
use crate::proto::protos::{
    DelState, GetQueryResult, GetState, GetStateMultiple, GetStateMultipleResult, PutState,
    WriteBatchState, WriteRecord, chaincode_message::Type, write_record,
};

/// A peer's state.
///
/// Batched operations and single ones read and write the same, so that endorsers
/// of mixed versions agree. After an error nothing is asked any more.
pub(super) struct PeerState<'a> {
    exchange: &'a mut dyn Exchange,
    capabilities: Capabilities,
    now_ms: i64,
    read: BTreeMap<String, Option<Vec<u8>>>,
    writes: BTreeMap<String, Vec<u8>>,
    failed: Option<StateError>,
}

impl<'a> PeerState<'a> {
    pub(super) fn new(
        exchange: &'a mut dyn Exchange,
        capabilities: Capabilities,
        now_ms: i64,
    ) -> Self {
        Self {
            exchange,
            capabilities,
            now_ms,
            read: BTreeMap::new(),
            writes: BTreeMap::new(),
            failed: None,
        }
    }

    /// Whether the state could not be read: then what the contract says about the
    /// transaction counts for nothing.
    pub(super) fn failed(&self) -> Option<&StateError> {
        self.failed.as_ref()
    }

    /// Sends the writes.
    ///
    /// # Errors
    /// If the peer does not take them all. Those before stay in the transaction, so
    /// it must be answered as failed.
    pub(super) fn finish(mut self) -> Result<(), StateError> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        let writes: Vec<_> = std::mem::take(&mut self.writes).into_iter().collect();
        match self.capabilities.write_keys_max {
            Some(keys_max) => writes
                .chunks(keys_max)
                .try_for_each(|chunk| self.write_many(chunk)),
            None => writes
                .into_iter()
                .try_for_each(|(key, value)| self.write_one(key, value)),
        }
    }

    /// Asks the peer unless something has failed before.
    pub(super) fn ask(&mut self, kind: Type, question: &impl Message) -> Result<Bytes, StateError> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        let asked = self.exchange.ask(kind, question.encode_to_vec());
        self.note(asked)
    }

    /// Remembers an error.
    pub(super) fn note<T>(&mut self, found: Result<T, StateError>) -> Result<T, StateError> {
        if let Err(error) = &found {
            self.failed.get_or_insert_with(|| error.clone());
        }
        found
    }

    fn read_one(&mut self, key: &str) -> Result<Option<Vec<u8>>, StateError> {
        let question = GetState {
            key: key.to_owned(),
            collection: String::new(),
        };
        let value = present(&self.ask(Type::GetState, &question)?);
        self.read.insert(key.to_owned(), value.clone());
        Ok(value)
    }

    fn read_many(&mut self, keys: &[String]) -> Result<(), StateError> {
        let question = GetStateMultiple {
            keys: keys.to_vec(),
            collection: String::new(),
        };
        let answer = self.ask(Type::GetStateMultiple, &question)?;
        let values = values(keys.len(), answer);
        let values = self.note(values)?;
        let found = values.iter().map(present);
        self.read.extend(keys.iter().cloned().zip(found));
        Ok(())
    }

    /// Which database the peer has: one of them alone answers questions about contents. No
    /// peer tells, so it is told from how it answers one that finds nothing.
    fn state_database(&mut self) -> StateDatabase {
        let question = GetQueryResult {
            query: r#"{"selector":{"_id":"none"}}"#.to_owned(),
            ..GetQueryResult::default()
        };
        // A refusal is an answer here, and says nothing about the state.
        match self
            .exchange
            .ask(Type::GetQueryResult, question.encode_to_vec())
        {
            Ok(_) => StateDatabase::CouchDb,
            Err(StateError(refused)) if refused.contains("leveldb") => StateDatabase::LevelDb,
            Err(_) => StateDatabase::Unspecified,
        }
    }

    fn write_many(&mut self, writes: &[(String, Vec<u8>)]) -> Result<(), StateError> {
        let batch = WriteBatchState {
            rec: writes.iter().map(record).collect(),
        };
        self.ask(Type::WriteBatchState, &batch).map(drop)
    }

    fn write_one(&mut self, key: String, value: Vec<u8>) -> Result<(), StateError> {
        let collection = String::new();
        let written = if value.is_empty() {
            self.ask(Type::DelState, &DelState { key, collection })
        } else {
            let put = PutState {
                key,
                value: value.into(),
                collection,
            };
            self.ask(Type::PutState, &put)
        };
        written.map(drop)
    }
}

impl State for PeerState<'_> {
    fn prefetch(&mut self, keys: &[String]) -> Result<(), StateError> {
        let mut missing: Vec<_> = keys
            .iter()
            .filter(|key| !self.read.contains_key(*key))
            .cloned()
            .collect();
        missing.sort_unstable();
        missing.dedup();
        match self.capabilities.read_keys_max {
            Some(keys_max) => missing
                .chunks(keys_max)
                .try_for_each(|chunk| self.read_many(chunk)),
            // Announced is read, or endorsers of mixed versions would not agree.
            None => missing
                .iter()
                .try_for_each(|key| self.read_one(key).map(drop)),
        }
    }

    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, StateError> {
        match self.read.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.read_one(key),
        }
    }

    fn range(
        &mut self,
        start: &str,
        end: &str,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, StateError> {
        range::read(self, start, end, limit)
    }

    fn put(&mut self, key: String, value: Vec<u8>) {
        self.writes.insert(key, value);
    }

    fn delete(&mut self, key: String) {
        self.writes.insert(key, Vec::new());
    }

    fn host(&mut self) -> Host {
        let state_database = self.state_database();
        let Capabilities {
            read_keys_max,
            write_keys_max,
        } = self.capabilities;
        Host {
            batched_operations: read_keys_max.is_some() && write_keys_max.is_some(),
            time_ms: self.now_ms,
            state_database,
        }
    }
}

/// A missing key reads as no bytes.
fn present(value: &Bytes) -> Option<Vec<u8>> {
    (!value.is_empty()).then(|| value.to_vec())
}

/// The values of so many keys. Where its database fails, a peer answers no values
/// and no error: missing values must never pass for missing keys.
fn values(keys: usize, answer: Bytes) -> Result<Vec<Bytes>, StateError> {
    let values = GetStateMultipleResult::decode(answer)
        .map_err(|error| StateError(format!("the answer to GET_STATE_MULTIPLE: {error}")))?
        .values;
    match values.len() == keys {
        true => Ok(values),
        false => Err(StateError(format!(
            "the peer answered {} values for {keys} keys",
            values.len()
        ))),
    }
}

/// An empty value removes the key.
fn record((key, value): &(String, Vec<u8>)) -> WriteRecord {
    let kind = match value.is_empty() {
        true => write_record::Type::DelState,
        false => write_record::Type::PutState,
    };
    WriteRecord {
        key: key.clone(),
        value: value.clone().into(),
        r#type: kind.into(),
        ..WriteRecord::default()
    }
}
