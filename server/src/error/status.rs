//! Errors as statuses, and statuses that others made as ours.

use std::{collections::HashMap, time::Duration};

use gx_proto::{google::rpc, gx::common::v1::Reason};
use http::{HeaderMap, HeaderValue};
use prost::Message;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use super::{DOMAIN, Error, Rejected, Violations, code, reason_name};

/// When to come back after the database was away or others were in the way.
const BACK_AFTER: Duration = Duration::from_secs(1);

/// Violations that a status tells: it travels in headers, of which clients take
/// little, often not more than 8 KiB. More are counted.
const VIOLATIONS_TOLD: usize = 24;

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let reason = error.reason();
        match error {
            Error::Invalid(violations) => invalid(reason, violations),
            Error::Rejected(rejected) => refused(*rejected),
            Error::Database(error) if reason == Reason::Unavailable => {
                tracing::warn!(error = %error, "request failed: the database is away or busy");
                let mut details = details(reason, &[]);
                details.set_retry_info(Some(BACK_AFTER));
                Status::with_error_details(code(reason), "not available just now", details)
            }
            Error::Database(_) | Error::Internal(_) => {
                tracing::error!(error = %error, "request failed");
                let details = details(reason, &[]);
                Status::with_error_details(code(reason), "internal error", details)
            }
        }
    }
}

/// An error as a part of an answer that succeeds.
pub fn within_answer(error: Error) -> rpc::Status {
    let status = Status::from(error);
    rpc::Status::decode(status.details()).unwrap_or_else(|_| rpc::Status {
        code: status.code().into(),
        message: status.message().to_owned(),
        details: Vec::new(),
    })
}

fn invalid(reason: Reason, mut violations: Violations) -> Status {
    let all = violations.0.len();
    let counted = (all > VIOLATIONS_TOLD).then(|| ("violations", all.to_string()));
    let mut details = details(reason, counted.as_slice());
    violations.0.truncate(VIOLATIONS_TOLD);
    let message = violations.to_string();
    let violations = violations
        .0
        .into_iter()
        .map(|(field, description)| FieldViolation {
            field: field.into_owned(),
            description: description.into_owned(),
            ..FieldViolation::default()
        });
    details.set_bad_request(violations.collect::<Vec<_>>());
    Status::with_error_details(code(reason), message, details)
}

fn refused(rejected: Rejected) -> Status {
    let mut details = details(rejected.reason, &rejected.metadata);
    if let Some(after) = rejected.retry_after {
        details.set_retry_info(Some(after));
    }
    Status::with_error_details(code(rejected.reason), rejected.message, details)
}

fn details(reason: Reason, metadata: &[(&'static str, String)]) -> ErrorDetails {
    let metadata: HashMap<String, String> = metadata
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    ErrorDetails::with_error_info(reason_name(reason), DOMAIN, metadata)
}

/// Completes the status in headers or trailers that leave the server: a status
/// that a library made gets a reason of ours in place of its own words, and every
/// one names the request. Answers the reason that is told; `None` if all went well.
pub fn complete(headers: &mut HeaderMap, method: &str, request_id: &str) -> Option<String> {
    let status = Status::from_header_map(headers).filter(|status| status.code() != Code::Ok)?;
    let (status, mut details) = match status.get_error_details() {
        details if details.error_info().is_some() => (status, details),
        _ => {
            let status = Status::from(translate(&status, method));
            let details = status.get_error_details();
            (status, details)
        }
    };
    let reason = details.error_info().map(|info| info.reason.clone());
    details.set_request_info(request_id, "");
    let complete = Status::with_error_details(status.code(), status.message(), details);
    for name in [
        Status::GRPC_STATUS,
        Status::GRPC_MESSAGE,
        Status::GRPC_STATUS_DETAILS,
    ] {
        headers.remove(name);
    }
    if let Err(unwritable) = complete.add_header(headers) {
        tracing::error!(error = %unwritable, "a status could not be written");
        headers.insert(Status::GRPC_STATUS, HeaderValue::from_static("13"));
    }
    reason
}

/// The reason that the status in headers or trailers tells, if it is one of ours.
pub fn told_reason(headers: &HeaderMap) -> Option<String> {
    let status = Status::from_header_map(headers)?;
    let details = status.get_error_details();
    details.error_info().map(|info| info.reason.clone())
}

/// What a status means that a library made. Its words are kept only where they
/// are known to be harmless.
fn translate(status: &Status, method: &str) -> Error {
    let says = |text: &str| status.message().contains(text);
    match status.code() {
        Code::Unimplemented if says("compressed") => malformed("its compression is not supported"),
        Code::Unimplemented => {
            Error::rejected(Reason::UnknownMethod, "there is no such method").with("method", method)
        }
        Code::OutOfRange | Code::ResourceExhausted if says("decod") || says("decompress") => {
            Error::rejected(Reason::MessageTooLarge, "the message is too large")
        }
        Code::Internal if DECODING.iter().any(|words| says(words)) => {
            malformed("it is no message of this method")
        }
        Code::Cancelled | Code::DeadlineExceeded => {
            Error::rejected(Reason::Deadline, "the call took too long")
        }
        Code::NotFound => Error::rejected(Reason::NotFound, "there is no such thing"),
        Code::Unavailable => Error::rejected(Reason::Unavailable, "a part cannot be reached"),
        code => Error::Internal(anyhow::anyhow!("a status {code:?}: {}", status.message())),
    }
}

/// Words of the gRPC library about requests that it cannot read.
const DECODING: &[&str] = &[
    "failed to decode Protobuf message",
    "Missing request message",
    "protocol error: received message",
    "Unexpected EOF decoding stream",
    "Error decompressing",
];

fn malformed(why: &str) -> Error {
    Error::rejected(
        Reason::MalformedMessage,
        format!("the request cannot be decoded: {why}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(status: Status) -> Status {
        let mut headers = HeaderMap::new();
        headers.insert("x-kept", http::HeaderValue::from_static("yes"));
        status.add_header(&mut headers).unwrap();
        let reason = complete(&mut headers, "/gx.X/Y", "request-1");
        assert_eq!(reason, told_reason(&headers));
        assert_eq!(headers["x-kept"], "yes");
        Status::from_header_map(&headers).unwrap()
    }

    fn reason_of(status: &Status) -> String {
        status
            .get_error_details()
            .error_info()
            .unwrap()
            .reason
            .clone()
    }

    #[test]
    fn statuses_of_the_library_become_ours() {
        use Code::*;
        let cases = [
            (Unimplemented, "", Unimplemented, "UNKNOWN_METHOD"),
            (
                Unimplemented,
                "Content is compressed with `x`",
                InvalidArgument,
                "MALFORMED_MESSAGE",
            ),
            (
                OutOfRange,
                "Error, decoded message length too large",
                ResourceExhausted,
                "MESSAGE_TOO_LARGE",
            ),
            (
                OutOfRange,
                "Error, encoded message length too large",
                Internal,
                "INTERNAL",
            ),
            (
                Internal,
                "failed to decode Protobuf message: x",
                InvalidArgument,
                "MALFORMED_MESSAGE",
            ),
            (Internal, "select * from users", Internal, "INTERNAL"),
            (Unknown, "h2 protocol error", Internal, "INTERNAL"),
            (Cancelled, "Timeout expired", DeadlineExceeded, "DEADLINE"),
            (NotFound, "service not registered", NotFound, "NOT_FOUND"),
        ];
        for (code, message, expected, reason) in cases {
            let status = completed(Status::new(code, message));
            assert_eq!(
                (status.code(), reason_of(&status).as_str()),
                (expected, reason),
                "{message}"
            );
            assert!(
                message.is_empty() || !status.message().contains(message),
                "{message}"
            );
        }
    }

    #[test]
    fn our_own_statuses_keep_everything_and_name_the_request() {
        let error = Error::rejected(Reason::RateLimited, "too many calls")
            .with("limit", "5/s")
            .retry_after(std::time::Duration::from_millis(200));
        let status = completed(error.into());
        let details = status.get_error_details();
        assert_eq!(status.message(), "too many calls");
        assert_eq!(details.error_info().unwrap().metadata["limit"], "5/s");
        assert_eq!(
            details
                .retry_info()
                .unwrap()
                .retry_delay
                .unwrap()
                .as_millis(),
            200
        );
        assert_eq!(details.request_info().unwrap().request_id, "request-1");
    }

    #[test]
    fn who_is_told_to_wait_is_never_told_to_wait_no_time() {
        for (nanos, millis) in [(0, 1), (1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2)] {
            let error = Error::rejected(Reason::RateLimited, "too many calls")
                .retry_after(std::time::Duration::from_nanos(nanos));
            let status = Status::from(error);
            let retry = status.get_details_retry_info().unwrap();
            assert_eq!(retry.retry_delay.unwrap().as_millis(), millis);
        }
    }

    #[test]
    fn success_is_left_alone() {
        let mut headers = HeaderMap::new();
        Status::ok("").add_header(&mut headers).unwrap();
        assert_eq!(complete(&mut headers, "/gx.X/Y", "request-1"), None);
        assert_eq!(headers.len(), 1);
    }
}
