//! One span, one log line and two metrics a call, at the end of its answer.

use std::{sync::Arc, time::Instant};

use axum::{body::Body, response::Response};
use metrics::{counter, histogram};
use tonic::{Code, Status};
use tracing::{Instrument, Span};

use super::{Gate, call::Call, errors::Told, tail::Tail};
use crate::{
    error::code_name,
    telemetry::metrics::{AUTH_FAILURES, HTTP_REQUEST_DURATION, HTTP_REQUESTS},
};

/// Watches the call from its arrival to the end of its answer.
pub(super) async fn watched(
    gate: &Gate,
    call: &Arc<Call>,
    answer: impl Future<Output = Response>,
) -> Response {
    let service = gate.service_of(call.rule);
    let watch = Watch {
        began: Instant::now(),
        service,
        span: span(call, service),
        call: call.clone(),
        code: Code::Cancelled,
    };
    let response = answer.instrument(watch.span.clone()).await;
    if let Some(told) = response.extensions().get::<Told>() {
        watch.count_refusal(told);
    }
    match head_code(&response) {
        Some(code) => {
            watch.end(code);
            response
        }
        None => response.map(|body| Body::new(Tail::new(body, move |code| watch.end(code)))),
    }
}

/// The code of an answer that has no more than a head.
fn head_code(response: &Response) -> Option<Code> {
    Status::from_header_map(response.headers()).map(|status| status.code())
}

/// Enabled at every level, so that lines within it name the call.
fn span(call: &Call, service: &'static str) -> Span {
    tracing::error_span!(
        "call",
        service,
        rpc.method = call.label(),
        request.id = call.request_id,
        trace.id = call.trace.trace_id(),
        client.address = %call.client,
        user.id = tracing::field::Empty,
    )
}

/// Reports its call when it is dropped, as cancelled unless it was told better: a
/// client that goes away ends its call without an answer.
struct Watch {
    began: Instant,
    service: &'static str,
    span: Span,
    call: Arc<Call>,
    code: Code,
}

impl Watch {
    fn end(mut self, code: Code) {
        self.code = code;
    }

    fn count_refusal(&self, told: &Told) {
        if matches!(told.code, Code::Unauthenticated | Code::PermissionDenied) {
            counter!(AUTH_FAILURES, "reason" => told.reason.clone()).increment(1);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let (service, method, code) = (self.service, self.call.label(), code_name(self.code));
        let elapsed = self.began.elapsed();
        counter!(HTTP_REQUESTS, "service" => service, "method" => method, "code" => code)
            .increment(1);
        histogram!(HTTP_REQUEST_DURATION, "service" => service, "method" => method).record(elapsed);
        let duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let name = method.rsplit('/').next().unwrap_or(method);
        self.span.in_scope(|| match self.call.rule {
            Some(_) => tracing::info!(rpc.code = code, duration_ms, "{name} answered {code}"),
            None => tracing::debug!(rpc.code = code, duration_ms, "{name} answered {code}"),
        });
    }
}
