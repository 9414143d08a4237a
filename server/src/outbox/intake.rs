//! The intake: takes checked commands. While one transaction is under way the
//! next gathers, so many callers share a commit and a caller alone waits for
//! nobody; there is no timer.

use std::time::Duration;

use gx_proto::gx::common::v1::Reason;
use tokio_util::sync::CancellationToken;

use super::{
    Submission,
    entity::operation,
    fold::Folder,
    line::{Answered, Entrance, Waiting, line},
};
use crate::{
    auth::UserId,
    config,
    error::{Error, Result},
    fault::kill_point,
    telemetry::metrics::DEADLOCKS,
};

pub use super::line::Line;

/// When a caller should ask again whose answer was lost.
const RETRY: Duration = Duration::from_millis(500);

/// How often a fold is done that meets one deadlock after another.
const TRIES: usize = 5;

/// A handle to the intake; cheap to clone.
#[derive(Debug, Clone)]
pub struct Intake {
    line: Entrance,
}

impl Intake {
    /// An intake whose line has the room that the settings say.
    pub fn new(settings: &config::Intake) -> (Self, Line) {
        let (entrance, line) = line(settings);
        (Self { line: entrance }, line)
    }

    /// Takes a command. The answer is its operation: accepted and durable, refused
    /// for good, or whatever became of it if it was sent before.
    ///
    /// # Errors
    /// `REQUEST_ID_REUSED`, `CATCHING_UP`, `OVERLOADED`; nothing is recorded then.
    /// `UNAVAILABLE` if the answer was lost: the same request_id tells it.
    pub async fn submit(&self, submission: Submission) -> Result<operation::Model> {
        told(self.line.enter(submission)?).await
    }

    /// Takes a user's commands together, in as few transactions as they fit into,
    /// and answers each as [`Self::submit`] does, in order.
    ///
    /// # Errors
    /// `OVERLOADED`; none was taken then.
    pub async fn submit_batch(
        &self,
        user: UserId,
        submissions: Vec<Submission>,
    ) -> Result<Vec<Result<operation::Model>>> {
        let answered = self.line.enter_batch(user, submissions)?;
        let mut answers = Vec::with_capacity(answered.len());
        for one in answered {
            answers.push(told(one).await);
        }
        Ok(answers)
    }
}

async fn told(answered: Answered) -> Result<operation::Model> {
    answered.await.unwrap_or_else(|_| Err(lost()))
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
    while line.wait(&shutdown).await {
        let fold = line.fold(settings.fold.max(1));
        answer(&folder, fold, Duration::from_millis(settings.timeout_ms)).await;
        if line.has_batched() {
            kill_point("batch");
        }
    }
}

async fn answer(folder: &Folder, fold: Vec<Waiting>, timeout: Duration) {
    let submissions: Vec<_> = fold.iter().map(|waiting| &waiting.submission).collect();
    let results = take(folder, &submissions, timeout).await;
    for (waiting, result) in fold.into_iter().zip(results) {
        waiting.answered(result);
    }
}

/// Folds all at once; if that fails, one by one, so that none suffers for another. If the
/// database is away, or takes too long, none of them is at fault.
async fn take(
    folder: &Folder,
    submissions: &[&Submission],
    timeout: Duration,
) -> Vec<Result<operation::Model>> {
    let count = submissions.len();
    match bounded(folder, submissions, timeout).await {
        Ok(results) => results,
        Err(error) if count == 1 => vec![Err(error)],
        Err(error) if error.reason() == Reason::Unavailable && !error.is_deadlock() => {
            tracing::warn!(%error, commands = count, "fold failed");
            submissions.iter().map(|_| Err(lost())).collect()
        }
        Err(error) => {
            tracing::warn!(%error, commands = count, "fold failed, doing its commands one by one");
            let mut results = Vec::with_capacity(count);
            for submission in submissions {
                let alone = bounded(folder, &[submission], timeout).await;
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
    submissions: &[&Submission],
    timeout: Duration,
) -> Result<Vec<Result<operation::Model>>> {
    let folded = async {
        for _ in 1..TRIES {
            match folder.fold(submissions).await {
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
