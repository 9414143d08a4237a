//! How often an address and a caller may call.

use std::sync::Arc;

use axum::{Extension, extract::State, middleware::Next, response::Response};

use super::{Gate, Request, call::Call, errors};
use crate::{
    auth::policy::{self, Rule},
    error::Result,
};

/// Counts the call for its client address, before anything is looked up.
pub(super) async fn by_address(
    State(gate): State<Arc<Gate>>,
    Extension(call): Extension<Arc<Call>>,
    request: Request,
    next: Next,
) -> Response {
    match take_address(&gate, &call).await {
        Ok(()) => next.run(request).await,
        Err(refused) => errors::answer(refused),
    }
}

async fn take_address(gate: &Gate, call: &Call) -> Result<()> {
    if policy::is_infrastructure(&call.path) {
        return Ok(());
    }
    gate.rates.address(call.client).await?;
    if call.rule.is_some_and(Rule::is_costly) {
        gate.rates.public(call.client).await?;
    }
    Ok(())
}

/// Counts the call for whoever is signed in.
pub(super) async fn by_caller(
    State(gate): State<Arc<Gate>>,
    Extension(call): Extension<Arc<Call>>,
    request: Request,
    next: Next,
) -> Response {
    let taken = match call.caller.get() {
        Some(caller) => gate.rates.caller(caller.user).await,
        None => Ok(()),
    };
    match taken {
        Ok(()) => next.run(request).await,
        Err(refused) => errors::answer(refused),
    }
}
