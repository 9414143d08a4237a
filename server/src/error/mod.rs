//! What can go wrong, and the only builder of [`tonic::Status`]. Causes are logged
//! once, here; they never leave in a status.

mod reason;
mod status;
mod violations;

use std::{borrow::Cow, time::Duration};

use gx_proto::gx::common::v1::Reason;

use crate::{id, store};

pub use reason::{code, code_name, reason_name};
pub use status::{complete, told_reason, within_answer};
pub use violations::Violations;

/// The `domain` of every ErrorInfo.
pub const DOMAIN: &str = "gx";

/// Clients that found no room come back spread over this time.
const RETRY_MS: u64 = 1_000;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request breaks bounds of its fields.
    #[error("invalid request: {0}")]
    Invalid(Violations),
    /// The request cannot be done, for a reason that the caller is told.
    #[error("{0}")]
    Rejected(Box<Rejected>),
    /// The database failed.
    #[error("database: {0}")]
    Database(#[from] sea_orm::DbErr),
    /// Something that must not happen.
    #[error("internal: {0:#}")]
    Internal(#[from] anyhow::Error),
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A reason that the caller is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason:?}: {message}")]
pub struct Rejected {
    /// The reason, from the contract of the API.
    pub reason: Reason,
    /// A sentence for people.
    pub message: Cow<'static, str>,
    /// What clients may want to know beside the reason.
    pub metadata: Vec<(&'static str, String)>,
    /// When another try may help.
    pub retry_after: Option<Duration>,
}

impl Error {
    /// The request cannot be done.
    pub fn rejected(reason: Reason, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Rejected(Box::new(Rejected {
            reason,
            message: message.into(),
            metadata: Vec::new(),
            retry_after: None,
        }))
    }

    /// There is no such thing, or it belongs to somebody else.
    pub fn not_found(resource: impl Into<String>) -> Self {
        let resource = resource.into();
        Self::rejected(Reason::NotFound, format!("{resource} was not found"))
            .with("resource", resource)
    }

    /// There is no room now; clients are told to come back at different times.
    pub fn overloaded() -> Self {
        let after = Duration::from_millis(RETRY_MS + id::jitter(RETRY_MS));
        Self::rejected(Reason::Overloaded, "the server is busy").retry_after(after)
    }

    /// The server, or the connection, is about to end; clients are told to come back
    /// at different times.
    pub fn leaving() -> Self {
        let after = Duration::from_millis(RETRY_MS + id::jitter(RETRY_MS));
        let message = "the connection ends: go on over another";
        Self::rejected(Reason::Unavailable, message).retry_after(after)
    }

    /// Adds metadata to a rejection; nothing to other errors.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        if let Self::Rejected(rejected) = &mut self {
            rejected.metadata.push((key, value.into()));
        }
        self
    }

    /// Tells when another try may help, in whole milliseconds: rounded up, so that who
    /// counts in them does not come too early, and at least one, so that who must wait for
    /// what has come meanwhile is not told that there is nothing to wait for.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        if let Self::Rejected(rejected) = &mut self {
            let millis = after.as_nanos().div_ceil(1_000_000).max(1);
            rejected.retry_after = Some(Duration::from_millis(
                u64::try_from(millis).unwrap_or(u64::MAX),
            ));
        }
        self
    }

    /// Whether another transaction was in the way, so that the same again may succeed.
    pub fn is_deadlock(&self) -> bool {
        matches!(self, Self::Database(error) if store::is_deadlock(error))
    }

    /// The reason that the caller is told.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Invalid(_) => Reason::InvalidField,
            Self::Rejected(rejected) => rejected.reason,
            Self::Database(error) if store::is_away(error) || store::is_deadlock(error) => {
                Reason::Unavailable
            }
            Self::Database(_) | Self::Internal(_) => Reason::Internal,
        }
    }
}
