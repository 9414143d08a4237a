//! What is ready, told by the parts themselves: `/readyz` reads it, nothing is
//! asked of anybody when it is called.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde::Serialize;

/// How a part is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", content = "reason", rename_all = "snake_case")]
pub enum State {
    /// It works.
    Ready,
    /// It works less well, or a worker that answers do not depend on stands still:
    /// shown, but the process takes calls.
    Degraded(String),
    /// It does not work, so the process takes no calls.
    NotReady(String),
}

/// The parts of this process and how they are; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    parts: Arc<Mutex<BTreeMap<String, State>>>,
}

/// What `/readyz` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether no part is [`State::NotReady`].
    pub ready: bool,
    /// Every part by name.
    pub parts: BTreeMap<String, State>,
}

impl Readiness {
    /// Tells how a part is.
    pub fn set(&self, part: impl Into<String>, state: State) {
        self.lock().insert(part.into(), state);
    }

    /// Forgets a part that ended as it should.
    pub fn remove(&self, part: &str) {
        self.lock().remove(part);
    }

    /// How all parts are.
    pub fn report(&self) -> Report {
        let parts = self.lock().clone();
        Report {
            ready: !parts
                .values()
                .any(|state| matches!(state, State::NotReady(_))),
            parts,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, State>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_degraded_part_shows_and_does_not_stop_calls() {
        let readiness = Readiness::default();
        readiness.set("database", State::Ready);
        readiness.set(
            "projector/1",
            State::Degraded("block 7: unknown event".to_owned()),
        );
        assert!(readiness.report().ready);
        readiness.set("database", State::NotReady("cannot be reached".to_owned()));
        let report = serde_json::to_value(readiness.report()).unwrap();
        assert_eq!(
            report,
            serde_json::json!({"ready": false, "parts": {
                "database": {"state": "not_ready", "reason": "cannot be reached"},
                "projector/1": {"state": "degraded", "reason": "block 7: unknown event"},
            }})
        );
        readiness.remove("database");
        assert!(readiness.report().ready);
    }
}
