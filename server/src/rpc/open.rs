//! The calls that are open on a connection, to know when it has none.

use std::{future::pending, time::Duration};

use axum::{body::Body, response::Response};
use tokio::{sync::watch, time::timeout};

use super::tail::Tail;

/// The open calls of one connection; clones count together.
#[derive(Debug, Clone, Default)]
pub(super) struct Open(watch::Sender<usize>);

/// One open call, counted until it is dropped.
#[derive(Debug)]
pub(super) struct OpenCall(Open);

impl Open {
    /// Counts a call.
    pub(super) fn enter(&self) -> OpenCall {
        self.0.send_modify(|open| *open += 1);
        OpenCall(self.clone())
    }

    /// Waits until there was no call for so long.
    pub(super) async fn idle(&self, bound: Duration) {
        let mut open = self.0.subscribe();
        loop {
            if open.wait_for(|open| *open == 0).await.is_err() {
                return pending().await;
            }
            if timeout(bound, open.changed()).await.is_err() {
                return;
            }
        }
    }
}

impl OpenCall {
    /// The answer, whose call is open until its body has ended or is dropped.
    pub(super) fn answered(self, answer: Response) -> Response {
        answer.map(|body| Body::new(Tail::new(body, move |_| drop(self))))
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.0.0.send_modify(|open| *open -= 1);
    }
}
