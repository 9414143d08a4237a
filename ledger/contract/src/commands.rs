//! The commands: one file each. A command checks everything before it changes
//! anything, so a refused one leaves no trace but its number.
//!
//! Every command checks in this order: `MALFORMED` (no body, or a field of an
//! impossible length or value), `ROLE` (the lane's domain is not the command's),
//! `NOT_BOOTSTRAPPED`, then what its own file lists.

mod bootstrap;
pub(crate) mod create_account;
mod fold;
mod load_countries;
mod postings;
mod refusal;
mod transfer;

use gx_proto::gx::contract::v1::command::Body;
use gx_proto::gx::contract::v1::command_outcome::Outcome;
use gx_proto::gx::contract::v1::{Command, CommandOutcome, CommandRefusal, Done, Voided};

use crate::batch::Rules;
use crate::book::Book;
use crate::state::StateError;

use postings::Postings;
use refusal::{Stop, partner_lanes, require_domain};

/// Runs one command.
///
/// # Errors
/// Only if the state cannot be read; a refusal is an outcome.
pub(crate) fn run(
    book: &mut Book<'_>,
    rules: &Rules,
    command: &Command,
) -> Result<CommandOutcome, StateError> {
    let outcome = match &command.body {
        Some(Body::Void(_)) => Outcome::Voided(Voided {}),
        Some(body) => settle(dispatch(book, rules, body))?,
        None => settle(Err(CommandRefusal::Malformed.into()))?,
    };
    Ok(CommandOutcome {
        id: command.id.clone(),
        request_digest: command.request_digest.clone(),
        outcome: Some(outcome),
    })
}

fn dispatch(book: &mut Book<'_>, rules: &Rules, body: &Body) -> Result<Done, Stop> {
    match body {
        Body::Bootstrap(command) => bootstrap::run(book, rules, command),
        Body::LoadCountries(command) => load_countries::run(book, rules, command),
        Body::CreateAccount(command) => create_account::run(book, rules, command),
        Body::Transfer(command) => transfer::run(book, rules, command),
        Body::Fold(command) => fold::run(book, rules, command),
        // Answered before, since it stands in no rule's way.
        Body::Void(_) => Err(CommandRefusal::Malformed.into()),
    }
}

fn settle(result: Result<Done, Stop>) -> Result<Outcome, StateError> {
    match result {
        Ok(done) => Ok(Outcome::Done(done)),
        Err(Stop::Refused(refused)) => Ok(Outcome::Refused(refused)),
        Err(Stop::State(error)) => Err(error),
    }
}
