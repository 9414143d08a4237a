//! The last word on every answer that is not OK: a reason of ours, the request's
//! id, and nothing from inside. An error may stand in the head or in the trailers.

use std::sync::Arc;

use axum::{body::Body, response::Response};
use http_body_util::BodyExt;
use tonic::{Code, Status};

use super::call::Call;
use crate::error::{Error, Result, complete};

/// What an answer without a body told.
#[derive(Debug, Clone)]
pub(super) struct Told {
    /// The canonical code.
    pub(super) code: Code,
    /// The reason.
    pub(super) reason: String,
}

/// Completes the answer, or what stands for it.
pub(super) async fn completed(
    call: &Arc<Call>,
    answer: impl Future<Output = Result<Response>>,
) -> Response {
    let mut response = match answer.await {
        Ok(response) => response,
        Err(error) => return refused(error, call),
    };
    if response.headers().contains_key(Status::GRPC_STATUS) {
        complete_head(&mut response, call);
        return response;
    }
    let call = call.clone();
    response.map(|body| {
        Body::new(body.map_frame(move |mut frame| {
            if let Some(trailers) = frame.trailers_mut() {
                complete(trailers, call.label(), &call.request_id);
            }
            frame
        }))
    })
}

/// The complete answer that an error is.
pub(super) fn refused(error: Error, call: &Call) -> Response {
    let mut response = Status::from(error).into_http();
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
    use http::HeaderMap;

    use super::*;
    use crate::error::told_reason;

    #[tokio::test]
    async fn an_error_after_the_head_is_completed_in_the_trailers() {
        let late = async {
            let mut trailers = HeaderMap::new();
            Status::out_of_range("Error, encoded message length too large")
                .add_header(&mut trailers)
                .unwrap();
            let body = http_body_util::Empty::new().with_trailers(async { Some(Ok(trailers)) });
            Ok(Response::new(Body::new(body)))
        };
        let response = completed(&Arc::new(Call::for_test("request-1")), late).await;
        assert!(!response.headers().contains_key(Status::GRPC_STATUS));
        let collected = response.into_body().collect().await.unwrap();
        let trailers = collected.trailers().unwrap();
        assert_eq!(trailers[Status::GRPC_STATUS], "13");
        assert_eq!(told_reason(trailers).as_deref(), Some("INTERNAL"));
    }
}
