//! Runs one transaction from its message to its answer. It blocks on whatever it
//! asks its peer.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;

use super::{
    call::Call, capabilities::Capabilities, exchange::Exchange, observer::Outcome,
    session::failure, state::PeerState,
};
use crate::{
    ChaincodeFailure, Contract,
    contract::{FUNCTION_BATCH, FUNCTION_QUERY, check_time},
    devnet::Clock,
    ledger::BATCH_EVENT,
    proto::protos::{ChaincodeEvent, ChaincodeMessage, Response, chaincode_message::Type},
};

/// Status of a response that is taken into a transaction.
const OK: i32 = 200;
/// Status of a response that a peer endorses nothing for.
const ERROR: i32 = 500;

/// What runs transactions.
#[derive(Clone)]
pub(super) struct Runner {
    pub(super) contract: Arc<dyn Contract>,
    pub(super) clock: Clock,
}

/// What a transaction came to.
pub(super) struct Ran {
    /// COMPLETED or ERROR.
    pub(super) answer: ChaincodeMessage,
    /// How it ended.
    pub(super) outcome: Outcome,
}

/// What the contract has to say.
struct Said {
    payload: Bytes,
    event: Option<ChaincodeEvent>,
}

/// What goes wrong, and whose fault it is.
struct Fault {
    failure: ChaincodeFailure,
    outcome: Outcome,
}

impl Runner {
    /// Runs a TRANSACTION or an INIT.
    pub(super) fn run(
        &self,
        message: &ChaincodeMessage,
        exchange: &mut dyn Exchange,
        capabilities: Capabilities,
    ) -> Ran {
        let said = Call::read(message)
            .map_err(refused)
            .and_then(|call| match message.r#type() {
                // There is nothing to initialize; a function is run as ever.
                Type::Init if call.function.is_empty() => Ok(Said::nothing()),
                _ => self.call(&call, exchange, capabilities),
            });
        match said {
            Ok(said) => Ran {
                answer: completed(message, OK, String::new(), said),
                outcome: Outcome::Completed,
            },
            Err(fault) => Ran {
                answer: failed(message, fault.failure.message),
                outcome: fault.outcome,
            },
        }
    }

    fn call(
        &self,
        call: &Call,
        exchange: &mut dyn Exchange,
        capabilities: Capabilities,
    ) -> Result<Said, Fault> {
        let mut state = PeerState::new(exchange, capabilities, (self.clock)());
        let said = match call.function.as_str() {
            FUNCTION_BATCH => self.batch(call, &mut state),
            FUNCTION_QUERY => self.query(call, &mut state),
            other => Err(ChaincodeFailure::new(format!("no function {other:?}"))),
        };
        if let Some(failed) = state.failed() {
            return Err(broken(failed.clone().into()));
        }
        let said = said.map_err(refused)?;
        state.finish().map_err(|error| broken(error.into()))?;
        Ok(said)
    }

    fn batch(&self, call: &Call, state: &mut PeerState<'_>) -> Result<Said, ChaincodeFailure> {
        check_time(call.invocation.timestamp_ms, (self.clock)())?;
        let payload = self
            .contract
            .invoke(state, &call.invocation, &call.argument)?;
        let event = ChaincodeEvent {
            event_name: BATCH_EVENT.into(),
            payload: payload.into(),
            ..ChaincodeEvent::default()
        };
        Ok(Said {
            payload: Bytes::new(),
            event: Some(event),
        })
    }

    fn query(&self, call: &Call, state: &mut PeerState<'_>) -> Result<Said, ChaincodeFailure> {
        let answer = self.contract.query(state, &call.argument)?;
        Ok(Said {
            payload: answer.into(),
            event: None,
        })
    }
}

fn refused(failure: ChaincodeFailure) -> Fault {
    Fault {
        failure,
        outcome: Outcome::Refused,
    }
}

fn broken(failure: ChaincodeFailure) -> Fault {
    Fault {
        failure,
        outcome: Outcome::Failed,
    }
}

/// A refused INIT is an ERROR, a refused TRANSACTION a response that says so, as in
/// Fabric's own shims.
fn failed(message: &ChaincodeMessage, words: String) -> ChaincodeMessage {
    match message.r#type() {
        Type::Init => failure(message, &words),
        _ => completed(message, ERROR, words, Said::nothing()),
    }
}

fn completed(
    message: &ChaincodeMessage,
    status: i32,
    words: String,
    said: Said,
) -> ChaincodeMessage {
    let response = Response {
        status,
        message: words,
        payload: said.payload,
    };
    let mut answer = ChaincodeMessage {
        txid: message.txid.clone(),
        channel_id: message.channel_id.clone(),
        payload: response.encode_to_vec().into(),
        chaincode_event: said.event,
        ..ChaincodeMessage::default()
    };
    answer.set_type(Type::Completed);
    answer
}

impl Said {
    fn nothing() -> Self {
        Self {
            payload: Bytes::new(),
            event: None,
        }
    }
}
