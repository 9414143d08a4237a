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

#[cfg(test)]
mod tests {
    use axum::{Router, middleware::from_fn, routing::get};
    use http::HeaderMap;
    use tower::ServiceExt;

    use super::*;
    use crate::error::told_reason;

    #[tokio::test]
    async fn an_error_after_the_head_is_completed_in_the_trailers() {
        let late = async || {
            let mut trailers = HeaderMap::new();
            Status::out_of_range("Error, encoded message length too large")
                .add_header(&mut trailers)
                .unwrap();
            let body = http_body_util::Empty::new().with_trailers(async { Some(Ok(trailers)) });
            Response::new(Body::new(body))
        };
        let router = Router::new()
            .route("/", get(late))
            .layer(from_fn(layer))
            .layer(Extension(Arc::new(Call::for_test("request-1"))));
        let response = router.oneshot(Request::default()).await.unwrap();
        assert!(!response.headers().contains_key(Status::GRPC_STATUS));
        let collected = response.into_body().collect().await.unwrap();
        let trailers = collected.trailers().unwrap();
        assert_eq!(trailers[Status::GRPC_STATUS], "13");
        assert_eq!(told_reason(trailers).as_deref(), Some("INTERNAL"));
    }
}
