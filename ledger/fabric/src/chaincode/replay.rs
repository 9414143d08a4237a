//! Plays what a peer sent without a network: every byte of a peer goes through
//! here in tests as it does on a stream, so that nothing in it makes the server
//! break, hang or grow.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use gx_contract::StateError;
use prost::Message;

use super::{
    exchange::{Exchange, payload},
    pending::Ticket,
    runner::Runner,
    session::{Session, Step, Task},
};
use crate::{
    Contract,
    proto::protos::{ChaincodeMessage, chaincode_message::Type},
};

/// Plays messages, each behind its length as of protobuf's delimited form, until
/// they end, cannot be decoded or end the stream; what the server said. Transactions
/// run one after the other, at the time `now_ms`.
pub fn replay(contract: Arc<dyn Contract>, now_ms: i64, bytes: &[u8]) -> Vec<ChaincodeMessage> {
    let runner = Runner {
        contract,
        clock: Arc::new(move || now_ms),
    };
    let (session, register) = Session::open("replay");
    let mut tape = Tape {
        input: Bytes::copy_from_slice(bytes),
        session,
        said: vec![register],
        waiting: VecDeque::new(),
    };
    loop {
        if let Some(task) = tape.waiting.pop_front() {
            tape.run(&runner, task);
        } else if !tape.advance() {
            return tape.said;
        }
    }
}

/// What a peer sent, and how far it was read.
struct Tape {
    input: Bytes,
    session: Session,
    said: Vec<ChaincodeMessage>,
    waiting: VecDeque<Task>,
}

impl Tape {
    /// Takes the next message; whether there was one and the stream goes on.
    fn advance(&mut self) -> bool {
        if self.input.is_empty() {
            return false;
        }
        let Ok(message) = ChaincodeMessage::decode_length_delimited(&mut self.input) else {
            self.input.clear();
            return false;
        };
        match self.session.receive(message) {
            Step::Done | Step::Ignored(_) | Step::Ready(_) => {}
            Step::Send(answer) => self.said.push(answer),
            Step::Run(task) => self.waiting.push_back(task),
            Step::End(_) => {
                self.input.clear();
                return false;
            }
        }
        true
    }

    fn run(&mut self, runner: &Runner, task: Task) {
        let Task {
            message,
            ticket,
            capabilities,
        } = task;
        let mut line = Line { tape: self, ticket };
        let ran = runner.run(&message, &mut line, capabilities);
        drop(line);
        self.said.push(ran.answer);
    }
}

/// The tape as one transaction sees it.
struct Line<'a> {
    tape: &'a mut Tape,
    ticket: Ticket,
}

impl Exchange for Line<'_> {
    fn ask(&mut self, kind: Type, question: Vec<u8>) -> Result<Bytes, StateError> {
        let mut answer = self.ticket.expect();
        let mut message = self.ticket.message();
        message.set_type(kind);
        message.payload = question.into();
        self.tape.said.push(message);
        loop {
            if let Ok(answer) = answer.try_recv() {
                return payload(kind, answer);
            }
            if !self.tape.advance() {
                return Err(StateError("the stream to the peer ended".into()));
            }
        }
    }
}
