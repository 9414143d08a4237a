//! The audit log: what was asked by whom and what became of it, chained so that a
//! change shows.
//!
//! Who records: a handler that writes, in its own transaction, by [`record_in`]; a
//! layer of the server for reads and refusals, behind the answer by a [`Trail`], or
//! before it for those who read what belongs to others. A [`Sealer`] chains what is
//! committed, and [`verify()`] walks the chain.

mod chain;
pub mod entity;
mod record;
mod seal;
mod trail;
mod verify;

#[cfg(test)]
pub(crate) mod tests;

use crate::auth::{Context, UserId};

pub use record::record_in;
pub use seal::Sealer;
pub use trail::{Trail, TrailWriter, trail};
pub use verify::{Verification, verify};

/// One line of the audit log.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Who asked; `None` for somebody not signed in and for the system.
    pub actor: Option<UserId>,
    /// What was asked, `/package.Service/Method`, or what the system did, such as
    /// `settle`, or an operator by a tool, such as `users unlock`.
    pub action: &'static str,
    /// What it was about: a resource name, or empty.
    pub subject: String,
    /// `OK`, or the reason of the refusal.
    pub outcome: String,
    /// The call's id; empty for the system's own doing.
    pub request_id: String,
    /// The trace that it belongs to, if any.
    pub traceparent: Option<String>,
    /// The client's address; empty for the system's own doing.
    pub client: String,
    /// The Fabric transaction, where there is one.
    pub fabric_tx_id: Option<String>,
}

impl Entry {
    /// A line about a call that succeeds with the transaction that it is written in.
    pub fn of_call(context: &Context, actor: Option<UserId>, subject: impl Into<String>) -> Self {
        Self {
            actor,
            action: context.method,
            subject: subject.into(),
            outcome: "OK".to_owned(),
            request_id: context.request_id.clone(),
            traceparent: context.traceparent.clone(),
            client: context.client.to_string(),
            fabric_tx_id: None,
        }
    }

    /// A line about something that was done without a call.
    pub fn of_system(action: &'static str, subject: impl Into<String>) -> Self {
        Self {
            actor: None,
            action,
            subject: subject.into(),
            outcome: "OK".to_owned(),
            request_id: String::new(),
            traceparent: None,
            client: String::new(),
            fabric_tx_id: None,
        }
    }
}
