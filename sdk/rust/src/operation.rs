//! What became of commands: operations, to be waited for and watched.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tonic::Code;

pub use crate::proto::gx::operation::v1::*;
use crate::{
    Error, Qirat, Results,
    call::{Caller, moment_after},
    pages::{items, paged},
    resume::{Follow, follow},
    retry::{Pauses, Repeat},
    service::methods,
};

/// How long [`PendingOperation::settled`] waits.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long one question waits for the outcome, and its answer for the network.
const TURN: Duration = Duration::from_secs(20);
const TRAVEL: Duration = Duration::from_secs(10);

/// The operations of one's own commands.
#[derive(Debug, Clone)]
pub struct Operations(pub(crate) Caller);

methods! { Operations: operation_service_client::OperationServiceClient =>
    read get_operation(GetOperationRequest) -> GetOperationResponse;
    read wait_operation(WaitOperationRequest) -> WaitOperationResponse;
    read list_operations(ListOperationsRequest) -> ListOperationsResponse;
}

paged! {
    ListOperationsRequest => ListOperationsResponse.operations: Operation;
}

impl Operations {
    /// An operation by its name, `operations/…`, such as one that another process
    /// began.
    ///
    /// # Errors
    /// NOT_FOUND, if it is not one's own.
    pub async fn get(&self, name: impl Into<String>) -> Result<PendingOperation, Error> {
        let request = GetOperationRequest { name: name.into() };
        let operation = self.get_operation(request).await?.operation;
        PendingOperation::of(operation, &self.0)
    }

    /// One's own operations, newest first, that fit the filter of the request.
    pub fn list(&self, filter: ListOperationsRequest) -> Results<Operation> {
        items(self, filter, |operations: Self, request| async move {
            operations.list_operations(request).await
        })
    }

    /// An operation's states from now up to its outcome, each once.
    pub fn watch(&self, name: impl Into<String>) -> Results<Operation> {
        watch(&self.0, name.into())
    }
}

/// A command that was taken. What it did is known once it is settled.
#[derive(Debug, Clone)]
#[must_use = "a command is accepted before it takes effect: ask settled() what became of it"]
pub struct PendingOperation {
    operation: Operation,
    caller: Caller,
}

impl PendingOperation {
    pub(crate) fn of(operation: Option<Operation>, caller: &Caller) -> Result<Self, Error> {
        Ok(Self {
            operation: operation.ok_or_else(|| Error::missing("operation"))?,
            caller: caller.clone(),
        })
    }

    /// The operation as it was last answered.
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// `operations/…`, by which it can be found again.
    pub fn name(&self) -> &str {
        &self.operation.name
    }

    /// Waits two minutes at most until the ledger has done it, also for a server that
    /// comes back.
    ///
    /// # Errors
    /// The reason, if it was refused: it changed nothing then, and the state of
    /// [`Error::operation`] is REFUSED. Any other state may still become SUCCEEDED:
    /// DEADLINE, if it is not decided yet, or whatever else keeps one from knowing.
    pub async fn settled(self) -> Result<Operation, Error> {
        self.settled_within(PATIENCE).await
    }

    /// The same, with a patience of one's own.
    ///
    /// # Errors
    /// As [`PendingOperation::settled`].
    pub async fn settled_within(mut self, patience: Duration) -> Result<Operation, Error> {
        let end = moment_after(patience);
        let mut pauses = Pauses::new();
        loop {
            match self.operation.state() {
                OperationState::Succeeded => return Ok(self.operation),
                OperationState::Refused => return Err(refusal(self.operation)),
                _ => {}
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::deadline().of(self.operation));
            }
            let failure = match wait(&self.caller, &self.operation.name, left.min(TURN)).await {
                Ok(operation) => {
                    (self.operation, pauses) = (operation, Pauses::new());
                    continue;
                }
                Err(failure) => failure,
            };
            // A server that is away for longer than a call waits may be back in time.
            match pauses.after(&failure, Repeat::Harmless) {
                Some(pause) if moment_after(pause) < end => sleep(pause).await,
                _ => return Err(failure.of(self.operation)),
            }
        }
    }

    /// Its states from now up to the outcome, each once.
    pub fn watch(&self) -> Results<Operation> {
        watch(&self.caller, self.operation.name.clone())
    }
}

impl Operation {
    /// The block whose effects include it; a read with this `min_block` sees them. 0
    /// until the ledger has settled it.
    pub fn block(&self) -> u64 {
        self.metadata.as_ref().map_or(0, |metadata| metadata.block)
    }

    fn is_settled(&self) -> bool {
        matches!(
            self.state(),
            OperationState::Succeeded | OperationState::Refused
        )
    }
}

impl TransferResult {
    /// What the receiver got.
    pub fn amount(&self) -> Qirat {
        Qirat::new(self.amount_qirat)
    }

    /// What the sender paid on top.
    pub fn fee(&self) -> Qirat {
        Qirat::new(self.fee_qirat)
    }
}

impl CreateAccountResult {
    /// The genesis grant.
    pub fn grant(&self) -> Qirat {
        Qirat::new(self.grant_qirat)
    }
}

/// Why an operation was refused.
fn refusal(operation: Operation) -> Error {
    match &operation.result {
        Some(operation::Result::Error(status)) => Error::told_by(status).of(operation),
        _ => Error::local(Code::FailedPrecondition, "the command was refused").of(operation),
    }
}

async fn wait(caller: &Caller, name: &str, turn: Duration) -> Result<Operation, Error> {
    let request = WaitOperationRequest {
        name: name.to_owned(),
        timeout_ms: u32::try_from(turn.as_millis()).unwrap_or(u32::MAX).max(1),
    };
    let patient = Operations(caller.with_deadline(turn + TRAVEL));
    let answer = patient.wait_operation(request).await?;
    PendingOperation::of(answer.operation, caller).map(|pending| pending.operation)
}

/// The states of one operation.
struct States {
    name: String,
    last: Option<Operation>,
}

impl Follow for States {
    type Request = WatchOperationRequest;
    type Answer = WatchOperationResponse;
    type Item = Operation;

    fn request(&mut self) -> WatchOperationRequest {
        WatchOperationRequest {
            name: self.name.clone(),
        }
    }

    fn read(&mut self, answer: WatchOperationResponse) -> Option<Operation> {
        // A stream that is opened again begins with what was seen last.
        if answer.operation == self.last {
            return None;
        }
        self.last = answer.operation;
        self.last.clone()
    }

    fn is_complete(&self) -> bool {
        self.last.as_ref().is_some_and(Operation::is_settled)
    }
}

fn watch(caller: &Caller, name: String) -> Results<Operation> {
    let states = States { name, last: None };
    follow(caller.clone(), states, |channel, request| async move {
        let mut client = operation_service_client::OperationServiceClient::new(channel);
        client.watch_operation(request).await
    })
}
