//! The last word on every answer that is not OK: a reason of ours, the request's
//! id, and nothing from inside. An error may stand in the head or in the trailers.

use std::sync::Arc;

use axum::{Extension, body::Body, middleware::Next, response::Response};
use http_body_util::BodyExt;
use tonic::{Code, Status};

use super::{Request, call::Call};
use crate::error::{Error, complete};

/// What an answer without a body told.
#[derive(Debug, Clone)]
pub(super) struct Told {
    /// The canonical code.
    pub(super) code: Code,
    /// The reason.
    pub(super) reason: String,
}

/// Completes whatever the layers within answer.
pub(super) async fn layer(
    Extension(call): Extension<Arc<Call>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    if response.headers().contains_key(Status::GRPC_STATUS) {
        complete_head(&mut response, &call);
        return response;
    }
    response.map(|body| {
        Body::new(body.map_frame(move |mut frame| {
            if let Some(trailers) = frame.trailers_mut() {
                complete(trailers, call.label(), &call.request_id);
            }
            frame
        }))
    })
}

/// An error as a layer answers it.
pub(super) fn answer(error: impl Into<Error>) -> Response {
    Status::from(error.into()).into_http()
}

/// An error as a layer outside of this one answers it.
pub(super) fn answer_completed(error: impl Into<Error>, call: &Call) -> Response {
    let mut response = answer(error);
    complete_head(&mut response, call);
    response
}

fn complete_head(response: &mut Response, call: &Call) {
    let told = complete(response.headers_mut(), call.label(), &call.request_id);
    let code = Status::from_header_map(response.headers()).map(|status| status.code());
    if let (Some(reason), Some(code)) = (told, code) {
        response.extensions_mut().insert(Told { code, reason });
    }
}
