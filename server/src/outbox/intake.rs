//! The intake: takes checked commands, and folds what waits into one transaction.

use super::{Submission, entity::operation};
use crate::error::{Error, Result};

/// A handle to the intake; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Intake {}

impl Intake {
    /// Takes a command. The answer is its operation: accepted and durable, refused
    /// for good, or whatever became of it if it was sent before.
    ///
    /// # Errors
    /// `REQUEST_ID_REUSED`, `CATCHING_UP`, `OVERLOADED`; nothing is recorded then.
    pub async fn submit(&self, _submission: Submission) -> Result<operation::Model> {
        Err(Error::Internal(anyhow::anyhow!(
            "the intake is under construction"
        )))
    }
}
