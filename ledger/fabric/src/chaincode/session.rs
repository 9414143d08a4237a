//! The states of a stream, as Fabric's own shims have them: registration, READY,
//! then transactions. Bytes in, steps out; nothing here waits.

use prost::Message;

use super::{
    capabilities::Capabilities,
    pending::{Pending, Ticket},
};
use crate::proto::protos::{ChaincodeId, ChaincodeMessage, chaincode_message::Type};

/// Most transactions that may be under way or waiting on one stream. A peer has
/// 2,500 by default.
const TRANSACTIONS_MAX: usize = 10_000;

/// How far a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Registering,
    Registered,
    Ready,
}

/// One stream's state.
#[derive(Debug)]
pub(super) struct Session {
    phase: Phase,
    capabilities: Capabilities,
    pending: Pending,
}

/// What a message asks of the stream.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing.
    Done,
    /// Nothing, but it was not expected either.
    Ignored(&'static str),
    /// To send this.
    Send(ChaincodeMessage),
    /// To note what the peer offers.
    Ready(Capabilities),
    /// To run a transaction.
    Run(Task),
    /// To end the stream.
    End(Ended),
}

/// A transaction to run.
#[derive(Debug)]
pub(super) struct Task {
    /// A TRANSACTION or an INIT.
    pub(super) message: ChaincodeMessage,
    /// Keeps its place until it has ended.
    pub(super) ticket: Ticket,
    /// What its peer offers.
    pub(super) capabilities: Capabilities,
}

/// Why a stream cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Ended {
    /// The peer does not take us.
    #[error("the peer refuses the registration: {0}")]
    Refused(String),
    /// A message out of turn.
    #[error("unexpected {0} while {1}")]
    Unexpected(&'static str, &'static str),
}

impl Session {
    /// A stream that has just been opened, and what to send first.
    pub(super) fn open(package_id: &str) -> (Self, ChaincodeMessage) {
        let id = ChaincodeId {
            name: package_id.into(),
            ..ChaincodeId::default()
        };
        let mut register = ChaincodeMessage {
            payload: id.encode_to_vec().into(),
            ..ChaincodeMessage::default()
        };
        register.set_type(Type::Register);
        let session = Self {
            phase: Phase::Registering,
            capabilities: Capabilities::default(),
            pending: Pending::default(),
        };
        (session, register)
    }

    /// Takes a message of the peer.
    pub(super) fn receive(&mut self, message: ChaincodeMessage) -> Step {
        match (self.phase, message.r#type()) {
            (_, Type::Keepalive) => Step::Send(message),
            (Phase::Registering, Type::Registered) => {
                self.phase = Phase::Registered;
                Step::Done
            }
            (Phase::Registered, Type::Ready) => {
                self.phase = Phase::Ready;
                self.capabilities = Capabilities::read(&message.payload);
                Step::Ready(self.capabilities)
            }
            (Phase::Registering | Phase::Registered, Type::Error) => {
                let words = String::from_utf8_lossy(&message.payload).into_owned();
                Step::End(Ended::Refused(words))
            }
            (Phase::Ready, Type::Transaction | Type::Init) => self.begin(message),
            (Phase::Ready, Type::Response | Type::Error) => match self.pending.deliver(message) {
                true => Step::Done,
                false => Step::Ignored("nobody waits for the answer"),
            },
            (phase, other) => Step::End(Ended::Unexpected(other.as_str_name(), phase.name())),
        }
    }

    fn begin(&self, message: ChaincodeMessage) -> Step {
        if self.pending.len() >= TRANSACTIONS_MAX {
            return Step::Send(failure(&message, "too many transactions are under way"));
        }
        match self.pending.begin(&message) {
            Some(ticket) => Step::Run(Task {
                message,
                ticket,
                capabilities: self.capabilities,
            }),
            // An answer would be taken for that of the first.
            None => Step::Ignored("the transaction is under way already"),
        }
    }
}

impl Phase {
    fn name(self) -> &'static str {
        match self {
            Self::Registering => "registering",
            Self::Registered => "registered",
            Self::Ready => "ready",
        }
    }
}

/// An ERROR about the same transaction.
pub(super) fn failure(about: &ChaincodeMessage, words: &str) -> ChaincodeMessage {
    let mut message = ChaincodeMessage {
        txid: about.txid.clone(),
        channel_id: about.channel_id.clone(),
        payload: words.to_owned().into(),
        ..ChaincodeMessage::default()
    };
    message.set_type(Type::Error);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: Type) -> ChaincodeMessage {
        let mut message = ChaincodeMessage::default();
        message.set_type(kind);
        message
    }

    fn ready() -> Session {
        let (mut session, register) = Session::open("gx_1.0:00");
        assert_eq!(
            ChaincodeId::decode(register.payload).unwrap().name,
            "gx_1.0:00"
        );
        assert!(matches!(
            session.receive(message(Type::Registered)),
            Step::Done
        ));
        assert!(matches!(
            session.receive(message(Type::Ready)),
            Step::Ready(_)
        ));
        session
    }

    #[test]
    fn messages_out_of_turn_end_the_stream() {
        let (mut session, _) = Session::open("gx_1.0:00");
        let step = session.receive(message(Type::Transaction));
        assert!(matches!(
            step,
            Step::End(Ended::Unexpected("TRANSACTION", "registering"))
        ));
        for kind in [
            Type::Undefined,
            Type::Registered,
            Type::Completed,
            Type::GetState,
        ] {
            assert!(
                matches!(ready().receive(message(kind)), Step::End(_)),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn a_transaction_under_way_is_not_begun_again() {
        let mut session = ready();
        let first = session.receive(message(Type::Transaction));
        assert!(matches!(first, Step::Run(_)));
        let second = session.receive(message(Type::Transaction));
        assert!(matches!(second, Step::Ignored(_)));
        drop(first);
        let third = session.receive(message(Type::Transaction));
        assert!(matches!(third, Step::Run(_)));
    }

    #[test]
    fn an_answer_that_nobody_waits_for_harms_nobody() {
        let mut session = ready();
        for kind in [Type::Response, Type::Error] {
            assert!(matches!(session.receive(message(kind)), Step::Ignored(_)));
        }
        assert_eq!(session.pending.len(), 0);
    }

    #[test]
    fn transactions_beyond_the_most_are_refused() {
        let mut session = ready();
        let mut running = Vec::new();
        for number in 0..=TRANSACTIONS_MAX {
            let mut message = message(Type::Transaction);
            message.txid = number.to_string();
            running.push(session.receive(message));
        }
        let refused = running.pop().unwrap();
        assert!(matches!(refused, Step::Send(message) if message.r#type() == Type::Error));
        assert!(running.iter().all(|step| matches!(step, Step::Run(_))));
    }
}
