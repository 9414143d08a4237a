//! The rules of the money. State, time and a batch come in; writes and an event
//! go out. No clock, no I/O, no randomness, no hash-map order: every peer must
//! come to the same bytes.
//!
//! [`execute`] admits a batch (`batch`), lays its writes over the state
//! (`overlay`, `book`), runs each command by itself (`commands`) and tells
//! everything in one event. [`query()`] answers questions. The rest are the facts
//! that chain, server and previews share: [`amount`], [`account`], [`lane`],
//! [`fees`], [`genesis`], [`countries`], [`params`] and the state's [`keys`].

pub mod account;
pub mod amount;
mod batch;
mod book;
mod commands;
pub mod countries;
pub mod fees;
pub mod genesis;
pub mod keys;
pub mod lane;
mod overlay;
pub mod params;
mod query;
mod shares;
pub mod state;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use gx_proto::gx::contract::v1::{Batch, BatchCommitted, BatchRefused, Query, QueryResult};

pub use batch::RULES_VERSIONS;
pub use state::{ChainRole, Host, Invocation, State, StateError};

/// The version of this contract's binary; peers may run others beside it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why a batch did not run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// The rules refused the whole batch; nothing changed.
    #[error("batch refused: {:?}", .0.reason())]
    Refused(BatchRefused),
    /// The state could not be read.
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<BatchRefused> for Rejection {
    fn from(refused: BatchRefused) -> Self {
        Self::Refused(refused)
    }
}

/// Runs a batch: every command is done or refused by itself. Writes reach the
/// state only at the end, each key once and in key order.
///
/// # Errors
/// [`Rejection::Refused`] if the batch as a whole may not run, [`Rejection::State`]
/// if the state could not be read; nothing is written then.
pub fn execute(
    state: &mut dyn State,
    invocation: &Invocation,
    batch: &Batch,
) -> Result<BatchCommitted, Rejection> {
    batch::execute(state, invocation, batch)
}

/// Answers a question from one simulation. A lane that has not moved answers
/// number 0 and a digest of zero bytes.
///
/// # Errors
/// If the state cannot be read, or the question has no kind, names no lane, or
/// asks for a page of none or more than 10,000 accounts.
pub fn query(state: &mut dyn State, query: &Query) -> Result<QueryResult, StateError> {
    query::answer(state, query)
}
