//! A copy that follows the database. One that cannot be reached is left alone for a
//! while: reads would wait for it, one after the other, and gain nothing.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sea_orm::DatabaseConnection;
use tokio::time::Instant;

/// How long it is left alone.
const PAUSE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Copy {
    db: DatabaseConnection,
    again: Mutex<Option<Instant>>,
}

impl Copy {
    pub(super) fn new(db: DatabaseConnection) -> Self {
        let again = Mutex::default();
        Self { db, again }
    }

    /// The copy, unless it was away a moment ago.
    pub(super) fn db(&self) -> Option<&DatabaseConnection> {
        let again = *self.again.lock().unwrap_or_else(PoisonError::into_inner);
        again
            .is_none_or(|again| Instant::now() >= again)
            .then_some(&self.db)
    }

    /// It could not be reached.
    pub(super) fn away(&self) {
        let again = Instant::now() + PAUSE;
        *self.again.lock().unwrap_or_else(PoisonError::into_inner) = Some(again);
    }
}
