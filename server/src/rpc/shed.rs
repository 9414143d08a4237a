//! So many calls at once and no more: further ones are refused before they cost
//! anything. Calls that only wait are counted apart, so that they crowd out none
//! that work.

use std::{sync::Arc, time::Duration};

use axum::{Extension, extract::State, middleware::Next, response::Response};
use gx_proto::gx::common::v1::Reason;

use super::{Gate, Request, call::Call, deadline::waits, errors};
use crate::{auth::policy, error::Error, id};

/// Refused clients come back spread over this time.
const RETRY_MS: u64 = 1_000;

/// Lets the call in if there is room.
pub(super) async fn layer(
    State(gate): State<Arc<Gate>>,
    Extension(call): Extension<Arc<Call>>,
    request: Request,
    next: Next,
) -> Response {
    if policy::is_infrastructure(&call.path) {
        return next.run(request).await;
    }
    let room = if waits(&call) {
        &gate.waiting
    } else {
        &gate.working
    };
    match room.try_acquire() {
        Ok(_permit) => next.run(request).await,
        Err(_) => errors::answer(overloaded()),
    }
}

fn overloaded() -> Error {
    let after = Duration::from_millis(RETRY_MS + id::jitter(RETRY_MS));
    Error::rejected(Reason::Overloaded, "the server is busy").retry_after(after)
}
