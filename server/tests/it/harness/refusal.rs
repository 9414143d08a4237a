//! What a refused call tells.

use std::collections::BTreeMap;

use gx_proto::{
    google::rpc,
    gx::operation::v1::{Operation, operation},
};
use prost::Message;
use tonic::{Code, Status};
use tonic_types::{StatusExt, pb::ErrorInfo};

/// What a status tells, with everything that every status must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) reason: String,
    pub(crate) metadata: BTreeMap<String, String>,
    /// The fields of `BadRequest`, in order.
    pub(crate) fields: Vec<String>,
    pub(crate) message: String,
    /// Milliseconds after which to try again.
    pub(crate) retry_ms: Option<u128>,
}

impl Refusal {
    /// Reads a status, and fails if it lacks what each must have.
    pub(crate) fn of(status: &Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info();
        let info = info.unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
        assert_eq!(info.domain, "gx", "{status:?}");
        let request = details.request_info();
        let request = request.unwrap_or_else(|| panic!("no RequestInfo: {status:?}"));
        assert!(!request.request_id.is_empty(), "{status:?}");
        let violations = details.bad_request().map(|bad| &bad.field_violations);
        let fields = violations.into_iter().flatten();
        let retry = details.retry_info().and_then(|retry| retry.retry_delay);
        Self {
            code: status.code(),
            reason: info.reason.clone(),
            metadata: info.metadata.clone().into_iter().collect(),
            fields: fields.map(|violation| violation.field.clone()).collect(),
            message: status.message().to_owned(),
            retry_ms: retry.map(|retry| retry.as_millis()),
        }
    }

    /// Code and reason.
    pub(crate) fn told(&self) -> (Code, &str) {
        (self.code, &self.reason)
    }
}

/// Why an operation was refused; empty if it was not.
pub(crate) fn reason_of(operation: &Operation) -> String {
    match &operation.result {
        Some(operation::Result::Error(status)) => reason_in(status),
        _ => String::new(),
    }
}

/// The reason in a status that an answer carries.
pub(crate) fn reason_in(status: &rpc::Status) -> String {
    let mut details = status.details.iter();
    let info = details.find(|detail| detail.type_url.ends_with("google.rpc.ErrorInfo"));
    let info = ErrorInfo::decode(&*info.expect("an ErrorInfo").value).expect("an ErrorInfo");
    info.reason
}
