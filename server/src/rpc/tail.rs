//! A body that tells the code of its trailers once, at its end; not if it is dropped
//! before.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{Error, body::Body};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::{Code, Status};

/// The body; `end` is called at most once.
pub(super) struct Tail<F> {
    body: Body,
    end: Option<F>,
}

impl<F: FnOnce(Code)> Tail<F> {
    pub(super) fn new(body: Body, end: F) -> Self {
        Self {
            body,
            end: Some(end),
        }
    }

    fn finish(&mut self, code: Code) {
        if let Some(end) = self.end.take() {
            end(code);
        }
    }
}

impl<F: FnOnce(Code) + Unpin> HttpBody for Tail<F> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                let status = frame.trailers_ref().and_then(Status::from_header_map);
                if let Some(status) = status {
                    self.finish(status.code());
                }
            }
            Some(Err(_)) => self.finish(Code::Unknown),
            None => self.finish(Code::Ok),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
