//! How often an address and a caller may call.

use super::{Gate, call::Call};
use crate::{
    auth::policy::{self, Rule},
    error::Result,
};

/// Counts the call for its client address, before anything is looked up.
pub(super) async fn take_address(gate: &Gate, call: &Call) -> Result<()> {
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
pub(super) async fn take_caller(gate: &Gate, call: &Call) -> Result<()> {
    match call.caller.get() {
        Some(caller) => gate.rates.caller(caller.user).await,
        None => Ok(()),
    }
}
