//! The one error of the SDK: what the server said and why, or what kept it from
//! saying anything.

use std::{collections::BTreeMap, error::Error as StdError, fmt, sync::Arc, time::Duration};

use prost::{Message, Name};
use prost_types::Any;
use tonic::{Code, Status};

use crate::proto::{
    google::rpc::{self, BadRequest, ErrorInfo, RequestInfo, RetryInfo},
    gx::{common::v1::Reason, operation::v1::Operation},
};

/// Whose reasons these are.
const DOMAIN: &str = "gx";

/// Why a call failed, or why an operation was refused.
#[derive(Clone)]
pub struct Error(Box<Details>);

#[derive(Clone)]
struct Details {
    code: Code,
    message: String,
    reason: Option<String>,
    metadata: BTreeMap<String, String>,
    violations: Vec<FieldViolation>,
    retry_delay: Option<Duration>,
    request_id: Option<String>,
    operation: Option<Operation>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// A field of the request that is missing or out of its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldViolation {
    /// The field's path, such as `transfers[3].amount_qirat`.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

impl Error {
    /// The canonical code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Why, to branch on; [`Reason::Unspecified`] where no server of GX answered or it
    /// is newer than this SDK, which [`Error::reason_name`] tells apart.
    pub fn reason(&self) -> Reason {
        let name = self.0.reason.as_deref().unwrap_or_default();
        Reason::from_str_name(&format!("REASON_{name}")).unwrap_or_default()
    }

    /// The reason as the server named it, such as `NOT_FOUND`; none where no server of
    /// GX answered.
    pub fn reason_name(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// For people who develop, in English.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What the reason's description promises, such as `available_qirat`.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.0.metadata
    }

    /// The fields that are wrong, for [`Reason::InvalidField`].
    pub fn violations(&self) -> &[FieldViolation] {
        &self.0.violations
    }

    /// When another try may help, where the server knows.
    pub fn retry_delay(&self) -> Option<Duration> {
        self.0.retry_delay
    }

    /// The id under which the server's log has the call.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The operation that was refused, or that was not settled in time.
    pub fn operation(&self) -> Option<&Operation> {
        self.0.operation.as_ref()
    }

    pub(crate) fn local(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            code,
            message: message.into(),
            reason: None,
            metadata: BTreeMap::new(),
            violations: Vec::new(),
            retry_delay: None,
            request_id: None,
            operation: None,
            source: None,
        }))
    }

    /// The client's own bound passed.
    pub(crate) fn deadline() -> Self {
        let mut error = Self::local(Code::DeadlineExceeded, "the deadline of the call passed");
        error.0.reason = Some("DEADLINE".to_owned());
        error
    }

    pub(crate) fn connection(source: tonic::transport::Error) -> Self {
        let mut error = Self::local(Code::Unavailable, "the server cannot be reached");
        error.0.source = Some(Arc::new(source));
        error
    }

    #[cfg(test)]
    pub(crate) fn retries_after(&mut self, delay: Duration) {
        self.0.retry_delay = Some(delay);
    }

    /// An answer lacks what the interface promises.
    pub(crate) fn missing(what: &str) -> Self {
        Self::local(Code::Internal, format!("the answer has no {what}"))
    }

    /// The token cannot travel as metadata.
    pub(crate) fn token_unreadable() -> Self {
        Self::local(Code::InvalidArgument, "the access token is no token")
    }

    /// What a status inside of an answer tells.
    pub(crate) fn told_by(status: &rpc::Status) -> Self {
        Self::told(Code::from(status.code), &status.message, &status.details)
    }

    /// The error, about this operation.
    pub(crate) fn of(mut self, operation: Operation) -> Self {
        self.0.operation = Some(operation);
        self
    }

    fn told(code: Code, message: &str, details: &[Any]) -> Self {
        let mut error = Self::local(code, message);
        let told = &mut error.0;
        for detail in details {
            if let Some(info) = read::<ErrorInfo>(detail).filter(|info| info.domain == DOMAIN) {
                told.reason = Some(info.reason);
                told.metadata = info.metadata.into_iter().collect();
            } else if let Some(request) = read::<BadRequest>(detail) {
                told.violations = request
                    .field_violations
                    .into_iter()
                    .map(violation)
                    .collect();
            } else if let Some(retry) = read::<RetryInfo>(detail) {
                told.retry_delay = retry.retry_delay.and_then(|delay| delay.try_into().ok());
            } else if let Some(request) = read::<RequestInfo>(detail) {
                told.request_id = Some(request.request_id);
            }
        }
        error
    }
}

fn violation(told: rpc::bad_request::FieldViolation) -> FieldViolation {
    FieldViolation {
        field: told.field,
        description: told.description,
    }
}

/// A detail, if it is one of this type.
fn read<T: Message + Name + Default>(detail: &Any) -> Option<T> {
    let (_, name) = detail.type_url.rsplit_once('/')?;
    (name == T::full_name()).then(|| T::decode(&*detail.value).ok())?
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let details = rpc::Status::decode(status.details()).unwrap_or_default();
        let mut error = Self::told(status.code(), status.message(), &details.details);
        // What GX told is told whole; behind anything else somebody may look further.
        if error.0.reason.is_none() {
            error.0.source = Some(Arc::new(status));
        }
        error
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.reason {
            Some(reason) => write!(f, "{reason}: {}", self.0.message),
            None => write!(f, "{:?}: {}", self.0.code, self.0.message),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.0.code)
            .field("reason", &self.0.reason)
            .field("message", &self.0.message)
            .field("metadata", &self.0.metadata)
            .field("violations", &self.0.violations)
            .field("retry_delay", &self.0.retry_delay)
            .field("request_id", &self.0.request_id)
            .field("operation", &self.0.operation)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
