//! No message is larger than its method takes. gRPC tells a message's length in
//! front of it, so too long a message is refused before it is read.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::body::Body;
use bytes::{Buf, Bytes};
use gx_proto::gx::common::v1::Reason;
use http_body::{Body as HttpBody, Frame};
use tonic::Status;

use super::{Gate, Request, call::Call};
use crate::{auth::policy::Rule, error::Error};

/// A flag for compression and four bytes of length.
const PREFIX: usize = 5;

/// Bounds every message of the call.
pub(super) fn bounded(gate: &Gate, call: &Call, request: Request) -> Request {
    let limit = call.rule.and_then(Rule::message_bytes);
    let limit = limit.unwrap_or(gate.limits.message_bytes);
    request.map(|body| Body::new(Bounded::new(body, limit)))
}

/// A body whose messages are bounded.
struct Bounded {
    body: Body,
    frames: Frames,
}

impl Bounded {
    fn new(body: Body, limit: usize) -> Self {
        let frames = Frames {
            limit,
            prefix: [0; PREFIX],
            prefix_read: 0,
            left: 0,
        };
        Self { body, frames }
    }
}

impl HttpBody for Bounded {
    type Data = Bytes;
    type Error = tonic::codegen::StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(frame.map(|frame| {
            let frame = frame?;
            if let Some(data) = frame.data_ref() {
                self.frames.read(data.clone()).map_err(Status::from)?;
            }
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

/// Where in the sequence of length-prefixed messages the body is.
struct Frames {
    limit: usize,
    prefix: [u8; PREFIX],
    prefix_read: usize,
    left: usize,
}

impl Frames {
    fn read(&mut self, mut data: Bytes) -> Result<(), Error> {
        while data.has_remaining() {
            if self.left > 0 {
                let passed = self.left.min(data.len());
                data.advance(passed);
                self.left -= passed;
                continue;
            }
            self.prefix[self.prefix_read] = data.get_u8();
            self.prefix_read += 1;
            if self.prefix_read == PREFIX {
                self.prefix_read = 0;
                self.begin()?;
            }
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), Error> {
        let [_, length @ ..] = self.prefix;
        self.left = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if self.left <= self.limit {
            return Ok(());
        }
        Err(
            Error::rejected(Reason::MessageTooLarge, "the message is too large")
                .with("limit_bytes", self.limit.to_string()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(limit: usize, chunks: &[&[u8]]) -> bool {
        let mut frames = Bounded::new(Body::empty(), limit).frames;
        chunks
            .iter()
            .all(|chunk| frames.read(Bytes::copy_from_slice(chunk)).is_ok())
    }

    #[test]
    fn a_message_is_measured_by_its_prefix_however_it_is_cut() {
        let message: &[u8] = &[0, 0, 0, 0, 3, 7, 7, 7];
        assert!(read(3, &[message]));
        assert!(read(3, &[message, message]));
        assert!(read(3, &[&message[..2], &message[2..6], &message[6..]]));
        assert!(!read(2, &[message]));
        assert!(!read(2, &[&message[..5]]));
        assert!(!read(2, &[&message[..1], &message[1..5]]));
        assert!(!read(3, &[message, &[1, 0xff, 0xff, 0xff, 0xff]]));
        assert!(read(0, &[&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]));
    }
}
