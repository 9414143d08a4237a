//! So many calls at once and no more: further ones are refused before they cost
//! anything. Calls that only wait are counted apart, so that they crowd out none
//! that work, and so are those with large messages, so that they cannot take all memory.

use std::sync::Arc;

use axum::{Extension, extract::State, middleware::Next, response::Response};

use super::{Gate, Request, call::Call, deadline::waits, errors};
use crate::{auth::policy, error::Error};

const UPLOAD: &str = "/gx.identity.v1.IdentityService/UploadDocument";
const BATCH: &str = "/gx.wallet.v1.WalletService/BatchTransfer";

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
        match call.rule.map(|rule| rule.method) {
            Some(UPLOAD) => &gate.rooms.uploads,
            Some(BATCH) => &gate.rooms.batches,
            _ => &gate.working,
        }
    };
    match room.try_acquire() {
        Ok(_permit) => next.run(request).await,
        Err(_) => errors::answer(Error::overloaded()),
    }
}
