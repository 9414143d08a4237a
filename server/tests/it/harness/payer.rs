//! Somebody who pays whatever dies meanwhile: the same request until it is answered.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::join_all;
use gx_proto::gx::{
    operation::v1::{Operation, OperationState, WaitOperationRequest},
    wallet::v1::TransferRequest,
};
use tokio::time::{sleep, timeout};
use tonic::{Code, Status};

use super::{Client, PATIENCE, Person};

/// How often a call is tried again.
const POLL: Duration = Duration::from_millis(20);
/// What a server that dies in the middle of a call leaves its client with.
const AGAIN: [Code; 5] = [
    Code::Unavailable,
    Code::DeadlineExceeded,
    Code::ResourceExhausted,
    Code::Unknown,
    Code::Cancelled,
];

/// The connections that lead to a system now; they change when its processes do.
#[derive(Debug, Clone)]
pub(crate) struct Now(Arc<Mutex<Client>>);

impl Now {
    pub(crate) fn new(client: Client) -> Self {
        Self(Arc::new(Mutex::new(client)))
    }

    pub(crate) fn set(&self, client: Client) {
        *self.0.lock().expect("a client") = client;
    }
}

/// A person who does not give up.
#[derive(Debug, Clone)]
pub(crate) struct Payer {
    pub(crate) person: Person,
    now: Now,
}

impl Payer {
    pub(crate) fn new(person: &Person, now: &Now) -> Self {
        Self {
            person: person.clone(),
            now: now.clone(),
        }
    }

    /// The person over the connections of now.
    pub(crate) fn over(&self) -> Person {
        let now = self.now.0.lock().expect("a client").clone();
        Person {
            client: self.person.client.over(&now),
            ..self.person.clone()
        }
    }

    /// Sends a transfer until it is answered.
    pub(crate) async fn sent(&self, transfer: &TransferRequest) -> Operation {
        let answered = async {
            loop {
                match self.over().send(transfer.clone()).await {
                    Ok(answer) => return answer.into_inner().operation.expect("an operation"),
                    Err(status) => again(&status).await,
                }
            }
        };
        timeout(PATIENCE, answered).await.expect("answered")
    }

    /// Sends transfers at once and answers the names of their operations.
    pub(crate) async fn send(&self, transfers: &[TransferRequest]) -> Vec<String> {
        let sent = join_all(transfers.iter().map(|one| self.sent(one))).await;
        sent.into_iter().map(|one| one.name).collect()
    }

    /// Waits until an operation has succeeded.
    pub(crate) async fn settled(&self, name: &str) -> Operation {
        let settled = async {
            loop {
                let wait = WaitOperationRequest {
                    name: name.to_owned(),
                    timeout_ms: 1_000,
                };
                match self.over().client.operation().wait_operation(wait).await {
                    Ok(answer) => {
                        let operation = answer.into_inner().operation.expect("an operation");
                        assert_ne!(operation.state(), OperationState::Refused, "{operation:?}");
                        if operation.state() == OperationState::Succeeded {
                            return operation;
                        }
                    }
                    Err(status) => again(&status).await,
                }
            }
        };
        timeout(PATIENCE, settled).await.expect("settled")
    }
}

async fn again(status: &Status) {
    assert!(AGAIN.contains(&status.code()), "{status:?}");
    sleep(POLL).await;
}
