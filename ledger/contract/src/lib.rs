//! The rules of the money. State, time and a batch come in; writes and an event
//! go out. No clock, no I/O, no randomness, no hash-map order: every peer must
//! come to the same bytes.

pub mod account;
pub mod amount;
pub mod countries;
pub mod fees;
pub mod genesis;
pub mod lane;
pub mod params;
mod shares;
pub mod state;

use gx_proto::gx::contract::v1::{Batch, BatchCommitted, BatchRefused, Query, QueryResult};

pub use state::{ChainRole, Invocation, State, StateError};

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

/// Runs a batch: every command is done or refused by itself.
///
/// # Errors
/// [`Rejection::Refused`] if the batch as a whole may not run; nothing is written then.
pub fn execute(
    _state: &mut dyn State,
    _invocation: &Invocation,
    _batch: &Batch,
) -> Result<BatchCommitted, Rejection> {
    Err(Rejection::State(StateError("under construction".into())))
}

/// Answers a question from one simulation.
///
/// # Errors
/// If the state cannot be read or the question has no kind.
pub fn query(_state: &mut dyn State, _query: &Query) -> Result<QueryResult, StateError> {
    Err(StateError("under construction".into()))
}
