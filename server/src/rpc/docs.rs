//! What REST is, for programs and for people: `/openapi.json` and `/docs`, as `gx openapi`
//! makes them.

use axum::{Router, response::IntoResponse, routing::get};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use sha2::{Digest, Sha256};

const OPENAPI: &str = include_str!("../../../envoy/openapi.json");
const PAGE: &str = include_str!("../../../envoy/docs.html");

/// They change with the program alone.
const CACHED: &str = "public, max-age=300";

/// The routes of both.
pub(super) fn routes() -> Router {
    let policy = policy();
    Router::new()
        .route("/openapi.json", get(openapi))
        .route("/docs", get(async move || page(&policy)))
}

async fn openapi() -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, CACHED)];
    (headers, OPENAPI)
}

fn page(policy: &str) -> impl IntoResponse + use<> {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (CACHE_CONTROL, CACHED.to_owned()),
        (CONTENT_SECURITY_POLICY, policy.to_owned()),
    ];
    (headers, PAGE)
}

/// The page may use its own style, and nothing else.
fn policy() -> String {
    let style = PAGE.split("<style>").nth(1).unwrap_or_default();
    let style = style.split("</style>").next().unwrap_or_default();
    let digest = STANDARD.encode(Sha256::digest(style));
    format!("default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'")
}
