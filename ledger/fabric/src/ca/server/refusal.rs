//! Why a request is refused: what the caller is told, in Fabric CA's codes, and
//! what the log is told beyond that.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;

use crate::ca::wire::{Answer, Message};

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    code: u32,
    message: String,
    /// For the log alone.
    reason: Option<&'static str>,
}

impl Refusal {
    fn new(status: StatusCode, code: u32, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            reason: None,
        }
    }

    pub(super) fn method(method: &str) -> Self {
        let message = format!("Method {method} is not allowed");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, 1, message)
    }

    pub(super) fn no_authorization() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 2, "No authorization header")
    }

    pub(super) fn unread() -> Self {
        let message = "Failed reading request body";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, 3, message)
    }

    pub(super) fn empty() -> Self {
        Self::new(StatusCode::BAD_REQUEST, 4, "Empty request body")
    }

    pub(super) fn body(place: &serde_json::Error) -> Self {
        let (line, column) = (place.line(), place.column());
        let message = format!("Invalid request body: line {line}, column {column}");
        Self::new(StatusCode::BAD_REQUEST, 5, message)
    }

    pub(super) fn no_authority(name: &str) -> Self {
        let message = format!("CA '{name}' does not exist");
        Self::new(StatusCode::NOT_FOUND, 19, message)
    }

    /// Whoever is refused for who it is learns no more than that.
    pub(super) fn stranger(reason: &'static str) -> Self {
        Self {
            reason: Some(reason),
            ..Self::new(StatusCode::UNAUTHORIZED, 20, "Authentication failure")
        }
    }

    pub(super) fn request(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 31, message)
    }

    pub(super) fn common_name() -> Self {
        let message = "The CSR subject common name must equal the enrollment ID";
        Self::new(StatusCode::FORBIDDEN, 77, message)
    }

    /// What Fabric CA has no code for.
    pub(super) fn other(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, 0, message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        tracing::warn!(
            status = self.status.as_u16(),
            code = self.code,
            reason = self.reason.unwrap_or(&self.message),
            "a request for a certificate is refused"
        );
        let (code, message) = (self.code, self.message);
        let answer = Answer {
            result: "",
            errors: vec![Message { code, message }],
            messages: Vec::new(),
            success: false,
        };
        (self.status, Json(answer)).into_response()
    }
}
