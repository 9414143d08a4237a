//! So many calls at once and no more: further ones are refused before they cost
//! anything. Calls that only wait are counted apart, so that they crowd out none
//! that work, and so are uploads, so that they cannot take all memory.

use std::sync::Arc;

use axum::{Extension, extract::State, middleware::Next, response::Response};

use super::{Gate, Request, call::Call, deadline::waits, errors};
use crate::{auth::policy, error::Error};

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
    } else if uploads(&call) {
        &gate.rooms.uploads
    } else {
        &gate.working
    };
    match room.try_acquire() {
        Ok(_permit) => next.run(request).await,
        Err(_) => errors::answer(Error::overloaded()),
    }
}

/// Whether the method's messages have megabytes.
fn uploads(call: &Call) -> bool {
    call.rule
        .is_some_and(|rule| rule.method.ends_with("/UploadDocument"))
}
