//! What callers hear: gRPC statuses with the details that Fabric puts into them.

use bytes::Bytes;
use prost::Message;
use prost_types::Any;
use tonic::{Code, Status};

use crate::proto::gateway::ErrorDetail;

const ERROR_DETAIL_URL: &str = "type.googleapis.com/gateway.ErrorDetail";

/// A status with one detail a peer that had something to say.
pub(super) fn with_details(code: Code, message: &str, details: &[ErrorDetail]) -> Status {
    if details.is_empty() {
        return Status::new(code, message);
    }
    let any = |detail: &ErrorDetail| Any {
        type_url: ERROR_DETAIL_URL.into(),
        value: detail.encode_to_vec(),
    };
    let status = tonic_types::Status {
        code: code.into(),
        message: message.into(),
        details: details.iter().map(any).collect(),
    };
    Status::with_details(code, message, Bytes::from(status.encode_to_vec()))
}

/// What everybody hears while the devnet ends.
pub(super) fn shut_down() -> Status {
    Status::unavailable("the devnet is shut down")
}
