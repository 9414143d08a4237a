//! What Envoy refuses by itself, in the words and the form of the services: a
//! `google.rpc.Status` with an ErrorInfo, as JSON for REST and in gRPC's headers.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use gx_proto::gx::common::v1::Reason;
use prost::Message as _;
use serde_json::{Value, json};

use crate::error::{Error, code, reason_name, within_answer};

/// When to come back.
const BACK_AFTER: Duration = Duration::from_secs(1);

/// Which of Envoy's own answers.
#[derive(Debug, Clone, Copy)]
enum Status {
    Is(u16),
    AtLeast(u16),
}

/// An answer of Envoy's own, its reason, and its words. The first that fits is taken.
const REFUSALS: [(Status, Reason, &str); 11] = [
    (
        Status::Is(400),
        Reason::MalformedMessage,
        "the request cannot be decoded",
    ),
    (
        Status::Is(404),
        Reason::UnknownMethod,
        "there is no such method",
    ),
    (
        Status::Is(408),
        Reason::Deadline,
        "the request took too long to arrive",
    ),
    (
        Status::Is(413),
        Reason::MessageTooLarge,
        "the message is too large",
    ),
    (
        Status::Is(415),
        Reason::MalformedMessage,
        "the request cannot be decoded: it is no application/json",
    ),
    (Status::Is(429), Reason::RateLimited, "too many calls"),
    (
        Status::Is(431),
        Reason::MessageTooLarge,
        "the request's head is too large",
    ),
    (
        Status::Is(503),
        Reason::Unavailable,
        "a part cannot be reached",
    ),
    (Status::Is(504), Reason::Deadline, "the call took too long"),
    (Status::AtLeast(500), Reason::Internal, "internal error"),
    (
        Status::AtLeast(400),
        Reason::MalformedMessage,
        "the request is not taken",
    ),
];

/// Whether the request has an id: what is refused for its path alone has none yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Id {
    Has,
    HasNone,
}

/// Envoy's mappers of its own answers: each for gRPC-Web, for gRPC and for REST, with an id
/// and without.
pub(super) fn mappers() -> Vec<Value> {
    let mut mappers = Vec::new();
    for (status, reason, words) in REFUSALS {
        for id in [Id::Has, Id::HasNone] {
            mappers.extend([
                web(status, reason, words, id),
                grpc(status, reason, words, id),
                rest(status, reason, words, id),
            ]);
        }
    }
    mappers
}

/// All of these, for a request with an id or for any.
fn all(mut filters: Vec<Value>, id: Id) -> Value {
    if id == Id::Has {
        let has = json!({"name": "x-request-id", "present_match": true});
        filters.push(json!({"header_filter": {"header": has}}));
    }
    match filters.as_slice() {
        [only] => only.clone(),
        filters => json!({"and_filter": {"filters": filters}}),
    }
}

fn fits(status: Status) -> Value {
    let (op, value) = match status {
        Status::Is(value) => ("EQ", value),
        Status::AtLeast(value) => ("GE", value),
    };
    let value = json!({"default_value": value, "runtime_key": "gateway.none"});
    json!({"status_code_filter": {"comparison": {"op": op, "value": value}}})
}

/// Whether trying again may help, and so when.
fn retry_after(reason: Reason) -> Option<Duration> {
    let helps = matches!(reason, Reason::RateLimited | Reason::Unavailable);
    helps.then_some(BACK_AFTER)
}

fn header(name: &str, value: &str) -> Value {
    json!({"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"})
}

/// The request's id, as the services tell it, or one for a request that has none; and
/// when to come back.
fn headers(reason: Reason, id: Id) -> Vec<Value> {
    let id = match id {
        Id::Has => "%REQ(X-REQUEST-ID)%",
        Id::HasNone => "%UNIQUE_ID%",
    };
    let mut headers = vec![header("x-request-id", id)];
    if let Some(after) = retry_after(reason) {
        headers.push(header("retry-after", &after.as_secs().to_string()));
    }
    headers
}

/// The same, and the whole status, as gRPC has it in the head. The details cannot name
/// the request.
fn grpc_headers(reason: Reason, words: &str, id: Id) -> Vec<Value> {
    let mut error = Error::rejected(reason, words.to_owned());
    if let Some(after) = retry_after(reason) {
        error = error.retry_after(after);
    }
    let details = STANDARD_NO_PAD.encode(within_answer(error).encode_to_vec());
    let mut headers = headers(reason, id);
    headers.push(header("grpc-status-details-bin", &details));
    headers
}

/// A page's call, which says that it is one. Envoy takes it for no gRPC, and would answer
/// it with an HTTP status, behind which clients for gRPC-Web look for nothing.
fn web(status: Status, reason: Reason, words: &str, id: Id) -> Value {
    let mut headers = grpc_headers(reason, words, id);
    headers.push(header("grpc-status", &i32::from(code(reason)).to_string()));
    headers.push(header("grpc-message", words));
    let is_web = json!({"name": "x-grpc-web", "present_match": true});
    json!({
        "filter": all(vec![fits(status), json!({"header_filter": {"header": is_web}})], id),
        "status_code": 200,
        "body": {"inline_string": ""},
        "headers_to_add": headers,
    })
}

/// A call that came as gRPC: a request that was transcoded came otherwise.
fn grpc(status: Status, reason: Reason, words: &str, id: Id) -> Value {
    let is_grpc = json!({"name": "content-type", "string_match": {"prefix": "application/grpc"}});
    let was_rest =
        json!({"name": "x-envoy-original-path", "present_match": true, "invert_match": true});
    let filters = vec![
        fits(status),
        json!({"header_filter": {"header": is_grpc}}),
        json!({"header_filter": {"header": was_rest}}),
    ];
    json!({
        "filter": all(filters, id),
        "body": {"inline_string": words},
        "headers_to_add": grpc_headers(reason, words, id),
    })
}

fn rest(status: Status, reason: Reason, words: &str, id: Id) -> Value {
    // The transcoder says what it cannot read.
    let words = match status {
        Status::Is(400) => format!("{words}: %LOCAL_REPLY_BODY%"),
        _ => words.to_owned(),
    };
    let mut details = vec![json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason_name(reason), "domain": "gx", "metadata": {},
    })];
    if let Some(after) = retry_after(reason) {
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{}s", after.as_secs()),
        }));
    }
    details.push(json!({
        "@type": "type.googleapis.com/google.rpc.RequestInfo",
        "requestId": "%RESP(X-REQUEST-ID)%", "servingData": "",
    }));
    let body = json!({"code": i32::from(code(reason)), "message": words, "details": details});
    json!({
        "filter": all(vec![fits(status)], id),
        "headers_to_add": headers(reason, id),
        "body_format_override": {"json_format": body, "content_type": "application/json"},
    })
}
