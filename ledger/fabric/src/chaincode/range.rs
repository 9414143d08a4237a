//! Ranges: a peer gives about a hundred keys a message, and ends a range early
//! without a word once it has given as many as its operator allows (100,000 by
//! default). So a range that ended is asked for again behind its last key, until
//! nothing comes.

use bytes::Bytes;
use gx_contract::StateError;
use prost::Message;

use super::state::PeerState;
use crate::proto::{
    protos::{
        GetStateByRange, QueryResponse, QueryStateClose, QueryStateNext, chaincode_message::Type,
    },
    queryresult::Kv,
};

/// A key and its value.
type Entry = (String, Vec<u8>);

/// Reads at most `limit` keys of `start..end`.
///
/// # Errors
/// If the peer fails, or gives what was not asked for.
pub(super) fn read(
    state: &mut PeerState<'_>,
    start: &str,
    end: &str,
    limit: usize,
) -> Result<Vec<Entry>, StateError> {
    let mut found = Found {
        entries: Vec::new(),
        next: start.to_owned(),
        end: end.to_owned(),
        limit,
    };
    while found.wants_more() {
        let before = found.entries.len();
        scan(state, &mut found)?;
        if found.entries.len() == before {
            break;
        }
    }
    Ok(found.entries)
}

/// One range query from where the last one ended.
fn scan(state: &mut PeerState<'_>, found: &mut Found) -> Result<(), StateError> {
    let question = GetStateByRange {
        start_key: found.next.clone(),
        end_key: found.end.clone(),
        ..GetStateByRange::default()
    };
    let mut answer = state.ask(Type::GetStateByRange, &question)?;
    loop {
        let page = found.take(answer);
        let page = state.note(page)?;
        if !page.has_more {
            return Ok(());
        }
        if !found.wants_more() {
            let close = QueryStateClose { id: page.id };
            return state.ask(Type::QueryStateClose, &close).map(drop);
        }
        answer = state.ask(Type::QueryStateNext, &QueryStateNext { id: page.id })?;
    }
}

/// What a range has given so far.
struct Found {
    entries: Vec<Entry>,
    /// Where what is missing begins.
    next: String,
    end: String,
    limit: usize,
}

impl Found {
    fn wants_more(&self) -> bool {
        self.entries.len() < self.limit
    }

    /// Takes a page's entries as far as they are wanted. Every page of a longer
    /// range brings it further, or it would never end.
    fn take(&mut self, answer: Bytes) -> Result<QueryResponse, StateError> {
        let unreadable = |error| StateError(format!("the answer to a range: {error}"));
        let page = QueryResponse::decode(answer).map_err(unreadable)?;
        if page.has_more && page.results.is_empty() {
            return Err(StateError("the peer gave an empty page of a range".into()));
        }
        for result in &page.results {
            let entry = Kv::decode(result.result_bytes.clone()).map_err(unreadable)?;
            if self.wants_more() {
                self.add(entry)?;
            }
        }
        Ok(page)
    }

    fn add(&mut self, entry: Kv) -> Result<(), StateError> {
        let behind_the_end = !self.end.is_empty() && entry.key >= self.end;
        if entry.key < self.next || behind_the_end {
            return Err(StateError(format!(
                "the peer gave key {} out of its range",
                entry.key
            )));
        }
        // The first key behind it.
        self.next = format!("{}\0", entry.key);
        self.entries.push((entry.key, entry.value.to_vec()));
        Ok(())
    }
}
