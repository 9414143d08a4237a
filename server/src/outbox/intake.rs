//! The intake: takes checked commands. While one transaction is under way the
//! next gathers, so many callers share a commit and a caller alone waits for
//! nobody; there is no timer.

use std::time::Duration;

use gx_proto::gx::common::v1::Reason;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{Submission, entity::operation, fold::Folder};
use crate::{
    config,
    error::{Error, Result},
    telemetry::metrics::DEADLOCKS,
};

/// When a caller should try again that found the line full.
const RETRY: Duration = Duration::from_millis(500);

/// How often a fold is done that meets one deadlock after another.
const TRIES: usize = 5;

/// A handle to the intake; cheap to clone.
#[derive(Debug, Clone)]
pub struct Intake {
    line: mpsc::Sender<Waiting>,
}

/// A command in the line, and where its answer goes.
#[derive(Debug)]
pub struct Waiting {
    submission: Submission,
    answer: oneshot::Sender<Result<operation::Model>>,
}

/// The waiting line's other end, for [`run`].
pub type Line = mpsc::Receiver<Waiting>;

impl Intake {
    /// An intake whose line holds at most `waiting` commands.
    pub fn new(settings: &config::Intake) -> (Self, Line) {
        let (line, receiver) = mpsc::channel(settings.waiting.max(1));
        (Self { line }, receiver)
    }

    /// Takes a command. The answer is its operation: accepted and durable, refused
    /// for good, or whatever became of it if it was sent before.
    ///
    /// # Errors
    /// `REQUEST_ID_REUSED`, `CATCHING_UP`, `OVERLOADED`; nothing is recorded then.
    /// `UNAVAILABLE` if the answer was lost: the same request_id tells it.
    pub async fn submit(&self, submission: Submission) -> Result<operation::Model> {
        let (answer, answered) = oneshot::channel();
        self.line
            .try_send(Waiting { submission, answer })
            .map_err(|_| overloaded())?;
        answered.await.unwrap_or_else(|_| Err(lost()))
    }
}

fn overloaded() -> Error {
    Error::rejected(Reason::Overloaded, "too many commands wait").retry_after(RETRY)
}

fn lost() -> Error {
    Error::rejected(
        Reason::Unavailable,
        "the answer was lost; ask again with the same request_id",
    )
    .retry_after(RETRY)
}

/// Serves the line until shutdown, and then what waits in it.
pub async fn run(
    mut line: Line,
    folder: Folder,
    settings: config::Intake,
    shutdown: CancellationToken,
) {
    loop {
        let first = tokio::select! {
            biased;
            waiting = line.recv() => waiting,
            () = shutdown.cancelled() => {
                line.close();
                line.recv().await
            }
        };
        let Some(first) = first else { return };
        let mut fold = vec![first];
        while fold.len() < settings.fold.max(1) {
            let Ok(next) = line.try_recv() else { break };
            fold.push(next);
        }
        answer(&folder, fold, Duration::from_millis(settings.timeout_ms)).await;
    }
}

async fn answer(folder: &Folder, fold: Vec<Waiting>, timeout: Duration) {
    let (submissions, answers): (Vec<_>, Vec<_>) = fold
        .into_iter()
        .map(|waiting| (waiting.submission, waiting.answer))
        .unzip();
    let results = take(folder, submissions, timeout).await;
    for (answer, result) in answers.into_iter().zip(results) {
        // A caller that has gone finds its operation under its request_id.
        let _ = answer.send(result);
    }
}

/// Folds all at once; if that fails, one by one, so that none suffers for another.
async fn take(
    folder: &Folder,
    submissions: Vec<Submission>,
    timeout: Duration,
) -> Vec<Result<operation::Model>> {
    let count = submissions.len();
    match bounded(folder, submissions.clone(), timeout).await {
        Ok(results) => results,
        Err(error) if count == 1 => vec![Err(error)],
        Err(error) => {
            tracing::warn!(%error, commands = count, "fold failed, doing its commands one by one");
            let mut results = Vec::with_capacity(count);
            for submission in submissions {
                let alone = bounded(folder, vec![submission], timeout).await;
                results
                    .push(alone.and_then(|mut alone| alone.pop().unwrap_or_else(|| Err(lost()))));
            }
            results
        }
    }
}

/// One fold within its time. One that was ended for another transaction's sake is
/// done again: nothing is wrong with it.
async fn bounded(
    folder: &Folder,
    submissions: Vec<Submission>,
    timeout: Duration,
) -> Result<Vec<Result<operation::Model>>> {
    let folded = async {
        for _ in 1..TRIES {
            match folder.fold(submissions.clone()).await {
                Err(error) if error.is_deadlock() => {
                    tracing::warn!(%error, "fold met a deadlock, doing it again");
                    metrics::counter!(DEADLOCKS).increment(1);
                }
                folded => return folded,
            }
        }
        folder.fold(submissions).await
    };
    tokio::time::timeout(timeout, folded)
        .await
        .unwrap_or_else(|_| Err(lost()))
}
