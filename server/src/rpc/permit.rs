//! Who calls, and may they: the policy's answer, before a handler is reached.

use gx_proto::gx::common::v1::Reason;
use http::{HeaderMap, header::AUTHORIZATION};
use tracing::Span;

use super::{Gate, Request, call::Call};
use crate::{
    auth::{
        Caller,
        policy::{self, Access, Rule},
    },
    error::{Error, Result},
};

/// Admits the call, and tells the handler who calls.
pub(super) async fn admit(gate: &Gate, call: &Call, request: &mut Request) -> Result<()> {
    let Some(rule) = call.rule.filter(|rule| gate.serves(rule)) else {
        return if policy::is_infrastructure(&call.path) {
            Ok(())
        } else {
            Err(unknown(&call.path))
        };
    };
    if let Some(caller) = caller(gate, call, rule, request.headers()).await? {
        request.extensions_mut().insert(caller);
    }
    request.extensions_mut().insert(call.context(rule));
    Ok(())
}

/// Puts the caller's name where the log and the audit log find it.
fn sign(call: &Call, caller: &Caller) {
    Span::current().record("user.id", caller.user.owner());
    // Nobody else sets it, so it cannot be set.
    let _ = call.caller.set(caller.clone());
}

/// Who calls, with a role that the rule asks for; `None` if it asks for none.
async fn caller(
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
