//! Questions to the contract, answered from the state file by whoever reads it
//! beside its writer.

use gx_contract::{State, StateError};
use gx_proto::gx::contract::v1::{Query, QueryResult};

use super::{StateReader, StoreError};
use crate::LedgerError;

impl StateReader {
    /// Answers a question from the one moment that the reader sees, as a peer
    /// does. Many questions to one reader are of the same moment.
    ///
    /// # Errors
    /// If the file cannot be read, or the question has no answer.
    pub fn query(&self, query: &Query) -> Result<QueryResult, LedgerError> {
        gx_contract::query(&mut Snapshot(self), query).map_err(LedgerError::internal)
    }
}

/// The state as a question sees it; questions write nothing.
struct Snapshot<'a>(&'a StateReader);

impl State for Snapshot<'_> {
    fn prefetch(&mut self, _: &[String]) -> Result<(), StateError> {
        Ok(())
    }

    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, StateError> {
        let found = self.0.get(key).map_err(unreadable)?;
        Ok(found.map(|found| found.value.to_vec()))
    }

    fn range(
        &mut self,
        start: &str,
        end: &str,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, StateError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let found = self.0.range(start, end, limit).map_err(unreadable)?;
        Ok(found
            .into_iter()
            .map(|(key, found)| (key, found.value.to_vec()))
            .collect())
    }

    fn put(&mut self, _: String, _: Vec<u8>) {}

    fn delete(&mut self, _: String) {}
}

fn unreadable(error: StoreError) -> StateError {
    StateError(LedgerError::from(error).to_string())
}
