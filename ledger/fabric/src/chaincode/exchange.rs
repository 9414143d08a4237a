//! One question to the peer and its answer, as a running transaction sees them:
//! it blocks.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use gx_contract::StateError;
use prost::Message;
use tokio::{runtime::Handle, sync::mpsc};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::{observer::Observer, pending::Ticket};
use crate::proto::protos::{ChaincodeMessage, chaincode_message::Type};

/// What leaves on a stream.
pub(super) type Outgoing = mpsc::Sender<Result<ChaincodeMessage, Status>>;

/// Questions to a peer and their answers, one at a time.
pub(super) trait Exchange {
    /// Asks; the answer is the payload of a RESPONSE.
    ///
    /// # Errors
    /// If the peer refuses, answers something else, or cannot be asked.
    fn ask(&mut self, kind: Type, question: Vec<u8>) -> Result<Bytes, StateError>;
}

/// Questions over a stream.
pub(super) struct Wire {
    /// Whose questions they are.
    pub(super) ticket: Ticket,
    /// Where they are sent.
    pub(super) outgoing: Outgoing,
    /// Cancelled once the stream has ended.
    pub(super) ended: CancellationToken,
    /// How long one answer may take.
    pub(super) answer_timeout: Duration,
    /// A larger message would end the stream with all that runs on it.
    pub(super) message_bytes_max: usize,
    /// Counts round trips.
    pub(super) observer: Arc<dyn Observer>,
    /// Where the stream runs.
    pub(super) runtime: Handle,
}

impl Exchange for Wire {
    fn ask(&mut self, kind: Type, question: Vec<u8>) -> Result<Bytes, StateError> {
        let mut message = self.ticket.message();
        message.set_type(kind);
        message.payload = question.into();
        let bytes = message.encoded_len();
        if bytes > self.message_bytes_max {
            return Err(StateError(format!(
                "{} of {bytes} bytes is larger than a stream takes",
                kind.as_str_name()
            )));
        }
        self.observer.round_trip();
        let asked = self.ended.run_until_cancelled(self.send(message));
        let asked = tokio::time::timeout(self.answer_timeout, asked);
        match self.runtime.block_on(asked) {
            Ok(Some(Some(answer))) => payload(kind, answer),
            Ok(_) => Err(StateError("the stream to the peer ended".into())),
            Err(_) => Err(StateError(format!(
                "the peer did not answer {} within {} ms",
                kind.as_str_name(),
                self.answer_timeout.as_millis()
            ))),
        }
    }
}

impl Wire {
    async fn send(&self, message: ChaincodeMessage) -> Option<ChaincodeMessage> {
        let answer = self.ticket.expect();
        self.outgoing.send(Ok(message)).await.ok()?;
        answer.await.ok()
    }
}

/// What an answer carries.
///
/// # Errors
/// The peer's own words if it refused.
pub(super) fn payload(kind: Type, answer: ChaincodeMessage) -> Result<Bytes, StateError> {
    match answer.r#type() {
        Type::Response => Ok(answer.payload),
        Type::Error => Err(StateError(
            String::from_utf8_lossy(&answer.payload).into_owned(),
        )),
        other => Err(StateError(format!(
            "the peer answered {} to {}",
            other.as_str_name(),
            kind.as_str_name()
        ))),
    }
}
