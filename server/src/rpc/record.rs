//! The audit lines that no handler writes: reads, as the policy says, and every
//! call that was refused, by whomever.

use axum::response::Response;
use gx_proto::gx::{common::v1::Reason, identity::v1::Role};

use super::{
    Gate,
    call::Call,
    errors::{self, Told},
};
use crate::{
    audit::{self, Entry},
    auth::{
        Caller,
        policy::{Record, Rule},
    },
    error::{Result, reason_name},
};

/// Records the call by its outcome.
pub(super) async fn recorded(
    gate: &Gate,
    call: &Call,
    answer: impl Future<Output = Response>,
) -> Response {
    let response = answer.await;
    let Some(rule) = call.rule else {
        return response;
    };
    match response.extensions().get::<Told>() {
        Some(told) if is_shed(told) || rule.handler_records(&told.reason) => response,
        Some(told) => {
            gate.trail
                .record(gate.clock.now_ms(), entry(call, rule, &told.reason));
            response
        }
        None if rule.record == Record::Read => match record_read(gate, call, rule).await {
            Ok(()) => response,
            Err(error) => errors::refused(error, call),
        },
        None => response,
    }
}

/// A flood that limits turn away must not fill the log either; metrics count it.
fn is_shed(told: &Told) -> bool {
    [Reason::RateLimited, Reason::Overloaded]
        .map(reason_name)
        .contains(&told.reason.as_str())
}

/// Users' reads are recorded behind the answer, everybody else's before it.
async fn record_read(gate: &Gate, call: &Call, rule: &Rule) -> Result<()> {
    let entry = entry(call, rule, "OK");
    let now_ms = gate.clock.now_ms();
    if call.caller.get().is_some_and(reads_own_alone) {
        gate.trail.record(now_ms, entry);
        return Ok(());
    }
    let tx = gate.store.begin().await?;
    audit::record_in(&tx, now_ms, vec![entry]).await?;
    Ok(tx.commit().await?)
}

fn reads_own_alone(caller: &Caller) -> bool {
    !caller.has_any(&[Role::Partner, Role::Auditor, Role::Admin, Role::SuperAdmin])
}

fn entry(call: &Call, rule: &Rule, outcome: &str) -> Entry {
    let actor = call.caller.get().map(|caller| caller.user);
    Entry {
        outcome: outcome.to_owned(),
        ..Entry::of_call(&call.context(rule), actor, call.subject.name())
    }
}
