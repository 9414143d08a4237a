//! Who calls, and may they: the policy's answer, before a handler is reached.

use std::sync::Arc;

use axum::{Extension, extract::State, middleware::Next, response::Response};
use gx_proto::gx::common::v1::Reason;
use http::{HeaderMap, header::AUTHORIZATION};
use tracing::Span;

use super::{Gate, Request, call::Call, errors};
use crate::{
    auth::{
        Caller,
        policy::{self, Access, Rule},
    },
    error::{Error, Result},
};

/// Admits the call, and tells the handler who calls.
pub(super) async fn layer(
    State(gate): State<Arc<Gate>>,
    Extension(call): Extension<Arc<Call>>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(rule) = call.rule.filter(|rule| gate.serves(rule)) else {
        return if policy::is_infrastructure(&call.path) {
            next.run(request).await
        } else {
            errors::answer(unknown(&call.path))
        };
    };
    match admit(&gate, &call, rule, request.headers()).await {
        Ok(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            request.extensions_mut().insert(call.context(rule));
            next.run(request).await
        }
        Err(refused) => errors::answer(refused),
    }
}

/// Puts the caller's name where the outer layers find it.
fn sign(call: &Call, caller: &Caller) {
    Span::current().record("user.id", caller.user.owner());
    // Nobody else sets it, so it cannot be set.
    let _ = call.caller.set(caller.clone());
}

async fn admit(
    gate: &Gate,
    call: &Call,
    rule: &Rule,
    headers: &HeaderMap,
) -> Result<Option<Caller>> {
    let Access::Roles(roles) = rule.access else {
        return Ok(None);
    };
    let authorization = headers.get(AUTHORIZATION).map(|value| value.to_str());
    // A header that is no text is no token, but it is not missing either.
    let authorization = authorization.map(Result::unwrap_or_default);
    let caller = gate.callers.caller(authorization).await?;
    sign(call, &caller);
    if caller.has_any(roles) {
        Ok(Some(caller))
    } else {
        Err(
            Error::rejected(Reason::RoleMissing, "your roles do not allow this method")
                .with("method", rule.method),
        )
    }
}

fn unknown(path: &str) -> Error {
    let shown: String = path.chars().take(200).collect();
    Error::rejected(Reason::UnknownMethod, "there is no such method").with("method", shown)
}
