//! `/healthz` and `/readyz`.

use axum::{Json, Router, http::StatusCode, routing::get};
use serde_json::{Value, json};

use super::{Readiness, Report};

/// The routes: `/healthz` tells that the process answers, `/readyz` which parts
/// are ready, with 503 if one is not.
pub fn routes(readiness: Readiness) -> Router {
    Router::new()
        .route("/healthz", get(async || Json(healthy())))
        .route("/readyz", get(async move || ready(&readiness)))
}

fn healthy() -> Value {
    json!({ "status": "ok" })
}

fn ready(readiness: &Readiness) -> (StatusCode, Json<Report>) {
    let report = readiness.report();
    let status = if report.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(report))
}
