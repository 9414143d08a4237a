//! The peer's side of a transaction: the state that it reads, and what it reads
//! and writes, as Fabric records it.

use std::collections::BTreeMap;

use bytes::Bytes;
use gx_fabric::proto::{
    kvrwset::{KvRead, KvWrite, KvrwSet, Version},
    protos::{
        ChaincodeMessage, DelState, GetState, GetStateByRange, GetStateMultiple,
        GetStateMultipleResult, PutState, QueryResponse, QueryResultBytes, QueryStateClose,
        QueryStateNext, WriteBatchState, chaincode_message::Type,
    },
    queryresult::Kv,
};
use prost::Message;

/// Results of one message of a range, as peers give them.
const PAGE: usize = 100;

type Reads = BTreeMap<String, Option<Version>>;
type Writes = BTreeMap<String, Bytes>;

/// A state, and the transactions that run on it.
pub(crate) struct Simulator {
    state: BTreeMap<String, (Bytes, Version)>,
    sets: BTreeMap<String, (Reads, Writes)>,
    iterators: BTreeMap<String, Vec<QueryResultBytes>>,
    /// Every question, in order.
    pub(crate) asked: Vec<Type>,
    /// A range ends after so many results, without a word.
    pub(crate) range_max: usize,
    /// Whether the state is kept in CouchDB.
    pub(crate) couch_db: bool,
}

impl Simulator {
    pub(crate) fn new() -> Self {
        Self {
            state: BTreeMap::new(),
            sets: BTreeMap::new(),
            iterators: BTreeMap::new(),
            asked: Vec::new(),
            range_max: 100_000,
            couch_db: false,
        }
    }

    /// A state in which these keys have their own name as value.
    pub(crate) fn holding(keys: impl IntoIterator<Item = String>) -> Self {
        let mut simulator = Self::new();
        let version = Version::default();
        let entries = keys.into_iter().map(|key| {
            let value = Bytes::from(key.clone());
            (key, (value, version))
        });
        simulator.state.extend(entries);
        simulator
    }

    /// Applies writes, as a block does.
    pub(crate) fn commit(&mut self, set: &KvrwSet, version: Version) {
        for write in &set.writes {
            if write.is_delete {
                self.state.remove(&write.key);
            } else {
                let value = (write.value.clone(), version);
                self.state.insert(write.key.clone(), value);
            }
        }
    }

    /// What a transaction has read and written.
    pub(crate) fn set(&self, tx_id: &str) -> KvrwSet {
        let (reads, writes) = self.sets.get(tx_id).cloned().unwrap_or_default();
        let read = |(key, version)| KvRead { key, version };
        let write = |(key, value): (String, Bytes)| KvWrite {
            key,
            is_delete: value.is_empty(),
            value,
        };
        KvrwSet {
            reads: reads.into_iter().map(read).collect(),
            writes: writes.into_iter().map(write).collect(),
            ..KvrwSet::default()
        }
    }

    /// How often something was asked.
    pub(crate) fn count(&self, kind: Type) -> usize {
        self.asked.iter().filter(|asked| **asked == kind).count()
    }

    /// Answers a question.
    pub(crate) fn answer(&mut self, question: &ChaincodeMessage) -> ChaincodeMessage {
        self.asked.push(question.r#type());
        let (tx_id, asked) = (&question.txid, question.payload.clone());
        let payload = match question.r#type() {
            Type::GetState => self.read(tx_id, GetState::decode(asked).unwrap().key),
            Type::GetStateMultiple => {
                let keys = GetStateMultiple::decode(asked).unwrap().keys;
                let values = keys.into_iter().map(|key| self.read(tx_id, key)).collect();
                GetStateMultipleResult { values }.encode_to_vec().into()
            }
            Type::PutState => {
                let put = PutState::decode(asked).unwrap();
                assert!(!put.value.is_empty(), "an empty value is a removal");
                self.write(tx_id, put.key, put.value)
            }
            Type::DelState => self.write(tx_id, DelState::decode(asked).unwrap().key, Bytes::new()),
            Type::WriteBatchState => {
                for record in WriteBatchState::decode(asked).unwrap().rec {
                    self.write(tx_id, record.key, record.value);
                }
                Bytes::new()
            }
            Type::GetStateByRange => {
                let range = GetStateByRange::decode(asked).unwrap();
                self.open(question, &range)
            }
            Type::GetQueryResult => match self.couch_db {
                true => QueryResponse::default().encode_to_vec().into(),
                // The words of a peer of Fabric.
                false => {
                    let refused = "ExecuteQuery not supported for leveldb";
                    return answer_to(question, Type::Error, refused);
                }
            },
            Type::QueryStateNext => self.page(QueryStateNext::decode(asked).unwrap().id),
            Type::QueryStateClose => {
                let id = QueryStateClose::decode(asked).unwrap().id;
                self.iterators.remove(&id).expect("an open range");
                Bytes::new()
            }
            other => panic!("the server asked {other:?}"),
        };
        answer_to(question, Type::Response, payload)
    }

    fn read(&mut self, tx_id: &str, key: String) -> Bytes {
        let found = self.state.get(&key);
        let (reads, _) = self.sets.entry(tx_id.into()).or_default();
        reads.insert(key, found.map(|(_, version)| *version));
        found.map(|(value, _)| value.clone()).unwrap_or_default()
    }

    fn write(&mut self, tx_id: &str, key: String, value: Bytes) -> Bytes {
        let (_, writes) = self.sets.entry(tx_id.into()).or_default();
        writes.insert(key, value);
        Bytes::new()
    }

    fn open(&mut self, question: &ChaincodeMessage, range: &GetStateByRange) -> Bytes {
        let entries = self
            .state
            .range(range.start_key.clone()..range.end_key.clone());
        let results = entries.take(self.range_max).map(|(key, (value, _))| {
            let entry = Kv {
                namespace: "gx".into(),
                key: key.clone(),
                value: value.clone(),
            };
            QueryResultBytes {
                result_bytes: entry.encode_to_vec().into(),
            }
        });
        let id = format!("{} {}", question.txid, self.asked.len());
        self.iterators.insert(id.clone(), results.collect());
        self.page(id)
    }

    fn page(&mut self, id: String) -> Bytes {
        let left = self.iterators.get_mut(&id).expect("an open range");
        let rest = left.split_off(left.len().min(PAGE));
        let results = std::mem::replace(left, rest);
        let has_more = !left.is_empty();
        if !has_more {
            self.iterators.remove(&id);
        }
        let page = QueryResponse {
            results,
            has_more,
            id,
            ..QueryResponse::default()
        };
        page.encode_to_vec().into()
    }
}

/// An answer to a question.
pub(crate) fn answer_to(
    question: &ChaincodeMessage,
    kind: Type,
    payload: impl Into<Bytes>,
) -> ChaincodeMessage {
    let mut answer = ChaincodeMessage {
        txid: question.txid.clone(),
        channel_id: question.channel_id.clone(),
        payload: payload.into(),
        ..ChaincodeMessage::default()
    };
    answer.set_type(kind);
    answer
}
