//! Which web pages may call from a browser: those of the origins in the settings, and
//! no others. Calls carry tokens, never cookies.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};
use tower_http::cors::CorsLayer;

/// What a page may send.
pub(crate) const REQUEST_HEADERS: [&str; 8] = [
    "authorization",
    "content-type",
    "grpc-timeout",
    "traceparent",
    "tracestate",
    "x-grpc-web",
    "x-request-id",
    "x-user-agent",
];

/// What a page may read.
pub(crate) const ANSWER_HEADERS: [&str; 5] = [
    "grpc-message",
    "grpc-status",
    "grpc-status-details-bin",
    "retry-after",
    "x-request-id",
];

/// How long a browser remembers what it was told; none does so longer.
const REMEMBERED: Duration = Duration::from_secs(7_200);

/// Tells browsers of these origins that their pages may call.
pub(super) fn layer(origins: &[String]) -> CorsLayer {
    let origins = origins
        .iter()
        .filter_map(|origin| HeaderValue::from_str(origin).ok());
    CorsLayer::new()
        .allow_origin(origins.collect::<Vec<_>>())
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(REQUEST_HEADERS.map(HeaderName::from_static))
        .expose_headers(ANSWER_HEADERS.map(HeaderName::from_static))
        .max_age(REMEMBERED)
}
