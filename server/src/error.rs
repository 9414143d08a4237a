//! What can go wrong, and the only builder of [`tonic::Status`]. Causes are logged
//! once, here; they never leave in a status.

use std::{borrow::Cow, collections::HashMap, time::Duration};

use gx_proto::gx::common::v1::Reason;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

/// The `domain` of every ErrorInfo.
pub const DOMAIN: &str = "gx";

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

    /// Adds metadata to a rejection; nothing to other errors.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        if let Self::Rejected(rejected) = &mut self {
            rejected.metadata.push((key, value.into()));
        }
        self
    }

    /// Tells when another try may help.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        if let Self::Rejected(rejected) = &mut self {
            rejected.retry_after = Some(after);
        }
        self
    }

    /// The reason that the caller is told.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Invalid(_) => Reason::InvalidField,
            Self::Rejected(rejected) => rejected.reason,
            Self::Database(_) | Self::Internal(_) => Reason::Internal,
        }
    }
}

/// Violations of fields' bounds, gathered so that all are told at once.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Violations(Vec<(&'static str, Cow<'static, str>)>);

impl Violations {
    /// Adds a violation.
    pub fn add(&mut self, field: &'static str, description: impl Into<Cow<'static, str>>) {
        self.0.push((field, description.into()));
    }

    /// Adds a violation unless `holds`.
    pub fn require(
        &mut self,
        field: &'static str,
        holds: bool,
        description: impl Into<Cow<'static, str>>,
    ) {
        if !holds {
            self.add(field, description);
        }
    }

    /// Takes a parsed value, or adds the parser's complaint.
    pub fn take<T>(
        &mut self,
        field: &'static str,
        parsed: Result<T, impl Into<Cow<'static, str>>>,
    ) -> Option<T> {
        parsed
            .map_err(|description| self.add(field, description))
            .ok()
    }

    /// The value, if nothing was violated.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every violation.
    pub fn finish<T>(self, value: Option<T>) -> Result<T> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Error::Invalid(self)),
        }
    }
}

impl std::fmt::Display for Violations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (field, description)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{field} {description}")?;
        }
        Ok(())
    }
}

/// The canonical code of a reason.
pub fn code(reason: Reason) -> Code {
    match reason {
        Reason::InvalidField | Reason::MalformedMessage | Reason::CodeWrong => {
            Code::InvalidArgument
        }
        Reason::UnknownMethod => Code::Unimplemented,
        Reason::TokenMissing
        | Reason::TokenInvalid
        | Reason::TokenExpired
        | Reason::SessionRevoked
        | Reason::CredentialsWrong => Code::Unauthenticated,
        Reason::RoleMissing => Code::PermissionDenied,
        Reason::NotFound => Code::NotFound,
        Reason::RequestIdReused => Code::AlreadyExists,
        Reason::MessageTooLarge
        | Reason::RateLimited
        | Reason::Overloaded
        | Reason::LoginLocked => Code::ResourceExhausted,
        Reason::CatchingUp | Reason::Unavailable => Code::Unavailable,
        Reason::Deadline => Code::DeadlineExceeded,
        Reason::Internal | Reason::Unspecified => Code::Internal,
        Reason::StaleRead
        | Reason::ContactNotVerified
        | Reason::UserStatus
        | Reason::VerificationState
        | Reason::DocumentKnown
        | Reason::InsufficientFunds
        | Reason::FeeChanged
        | Reason::SelfTransfer
        | Reason::SenderNotActive
        | Reason::ReceiverNotActive
        | Reason::UnknownReceiver
        | Reason::KnownCommitment
        | Reason::Voided
        | Reason::ChainRefused => Code::FailedPrecondition,
    }
}

/// The reason as clients see it: its name without the prefix.
pub fn reason_name(reason: Reason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix("REASON_").unwrap_or(name)
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let reason = error.reason();
        match error {
            Error::Invalid(violations) => {
                let mut details = details(reason, &[]);
                let message = violations.to_string();
                details.set_bad_request(
                    violations
                        .0
                        .into_iter()
                        .map(|(field, description)| FieldViolation {
                            field: field.to_owned(),
                            description: description.into_owned(),
                            ..FieldViolation::default()
                        })
                        .collect::<Vec<_>>(),
                );
                Status::with_error_details(code(reason), message, details)
            }
            Error::Rejected(rejected) => {
                let mut details = details(reason, &rejected.metadata);
                if let Some(after) = rejected.retry_after {
                    details.set_retry_info(Some(after));
                }
                Status::with_error_details(code(reason), rejected.message, details)
            }
            Error::Database(_) | Error::Internal(_) => {
                tracing::error!(error = %error, "request failed");
                let details = details(reason, &[]);
                Status::with_error_details(code(reason), "internal error", details)
            }
        }
    }
}

fn details(reason: Reason, metadata: &[(&'static str, String)]) -> ErrorDetails {
    let metadata: HashMap<String, String> = metadata
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    ErrorDetails::with_error_info(reason_name(reason), DOMAIN, metadata)
}
