//! The contract as chaincode: bytes in, bytes out, around the pure rules.

use gx_contract::{Invocation, Rejection, State, StateError};
use gx_proto::gx::contract::v1::{Batch, BatchRefusal, BatchRefused, Query};
use prost::Message;

use crate::LedgerError;

/// The chaincode function that runs a batch.
pub const FUNCTION_BATCH: &str = "Batch";
/// The chaincode function that answers a question.
pub const FUNCTION_QUERY: &str = "Query";

/// How far a proposal's time may be ahead of the clock of whoever runs the
/// contract: the time is the submitter's word, and the rules trust it.
const AHEAD_MS_MAX: i64 = 60_000;

/// What stands before an encoded [`BatchRefused`] in a chaincode's error message,
/// since Fabric's gateway carries nothing of a failed response but its message.
const REFUSED_MARKER: &str = "gx.batch.refused=";

/// Chaincode, as whoever runs it sees it.
pub trait Contract: Send + Sync {
    /// Runs a batch; the answer is the event to emit.
    ///
    /// # Errors
    /// Whatever is answered, nothing may be written then.
    fn invoke(
        &self,
        state: &mut dyn State,
        invocation: &Invocation,
        argument: &[u8],
    ) -> Result<Vec<u8>, ChaincodeFailure>;

    /// Answers a question; writes nothing.
    ///
    /// # Errors
    /// If the question cannot be read or answered.
    fn query(&self, state: &mut dyn State, argument: &[u8]) -> Result<Vec<u8>, ChaincodeFailure>;
}

/// An error answer of the chaincode: the message of a response with status 500.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ChaincodeFailure {
    /// The words that reach the client.
    pub message: String,
}

impl ChaincodeFailure {
    /// An error in the chaincode's own words.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }

    /// The refusal of a whole batch, in a form that survives as a message.
    pub fn refused(refused: &BatchRefused) -> Self {
        let reason = refused.reason().as_str_name();
        let encoded = hex::encode(refused.encode_to_vec());
        Self::new(format!("batch refused: {reason} {REFUSED_MARKER}{encoded}"))
    }

    /// The refusal of a whole batch, if the message carries one, whatever a peer or
    /// a gateway has put around it.
    pub fn refusal(&self) -> Option<BatchRefused> {
        let (_, rest) = self.message.split_once(REFUSED_MARKER)?;
        let end = rest
            .find(|digit: char| !digit.is_ascii_hexdigit())
            .unwrap_or(rest.len());
        BatchRefused::decode(hex::decode(&rest[..end]).ok()?.as_slice()).ok()
    }
}

impl From<StateError> for ChaincodeFailure {
    fn from(error: StateError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<ChaincodeFailure> for LedgerError {
    fn from(failure: ChaincodeFailure) -> Self {
        match failure.refusal() {
            Some(refused) => Self::BatchRefused(refused),
            None => Self::Chaincode {
                message: failure.message,
            },
        }
    }
}

/// The rules of GX as chaincode.
#[derive(Debug, Clone, Copy, Default)]
pub struct GxContract;

impl Contract for GxContract {
    fn invoke(
        &self,
        state: &mut dyn State,
        invocation: &Invocation,
        argument: &[u8],
    ) -> Result<Vec<u8>, ChaincodeFailure> {
        let batch = Batch::decode(argument).map_err(|_| malformed())?;
        match gx_contract::execute(state, invocation, &batch) {
            Ok(committed) => Ok(committed.encode_to_vec()),
            Err(Rejection::Refused(refused)) => Err(ChaincodeFailure::refused(&refused)),
            Err(Rejection::State(error)) => Err(error.into()),
        }
    }

    fn query(&self, state: &mut dyn State, argument: &[u8]) -> Result<Vec<u8>, ChaincodeFailure> {
        let query = Query::decode(argument)
            .map_err(|error| ChaincodeFailure::new(format!("query cannot be read: {error}")))?;
        Ok(gx_contract::query(state, &query)?.encode_to_vec())
    }
}

/// Refuses a call whose time is too far ahead of the clock of whoever runs the
/// contract.
///
/// # Errors
/// The answer to give instead of running the contract.
pub fn check_time(timestamp_ms: i64, now_ms: i64) -> Result<(), ChaincodeFailure> {
    let ahead_ms = timestamp_ms.saturating_sub(now_ms);
    if ahead_ms <= AHEAD_MS_MAX {
        return Ok(());
    }
    Err(ChaincodeFailure::new(format!(
        "the transaction's time is {ahead_ms} ms ahead of the clock"
    )))
}

fn malformed() -> ChaincodeFailure {
    let mut refused = BatchRefused::default();
    refused.set_reason(BatchRefusal::Malformed);
    ChaincodeFailure::refused(&refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_survives_what_peers_wrap_around_it() {
        let refused = BatchRefused {
            limit: 500,
            ..BatchRefused::default()
        };
        let message = ChaincodeFailure::refused(&refused).message;
        let wrapped = ChaincodeFailure::new(format!("chaincode response 500, {message}, peer0"));
        assert_eq!(wrapped.refusal(), Some(refused));
    }

    #[test]
    fn other_words_are_no_refusal() {
        let failure = ChaincodeFailure::new("timeout expired while executing transaction");
        assert!(matches!(
            LedgerError::from(failure),
            LedgerError::Chaincode { .. }
        ));
    }

    #[test]
    fn a_proposal_may_be_a_minute_ahead_and_no_more() {
        assert!(check_time(160_000, 100_000).is_ok());
        assert!(check_time(160_001, 100_000).is_err());
        assert!(check_time(i64::MAX, i64::MIN).is_err());
    }
}
