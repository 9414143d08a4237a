//! A batch: whether it may run, what it reads, and its run.
//!
//! Why a whole batch is refused, in order of precedence; nothing is written and
//! no number is used:
//! 1. `MALFORMED`: no lane, no commands, a command without an id of 16 bytes and
//!    a digest of 32 (the lane's digest is chained over both), a credit that names
//!    no possible key, or one account's credits twice.
//! 2. `LANE`: the lane's domain is not the one of the submitter's role, or the
//!    lane does not exist.
//! 3. `RULES_VERSION`: another version of the rules is in force than the batch
//!    expects, or one that this contract does not carry.
//! 4. `LANE_CURSOR`: the batch does not continue the lane.
//! 5. `TOO_MANY_COMMANDS`: more than `batch.max_commands`.
//! 6. `TOO_MANY_CREDITS`: more credits named for one account than allowed, or
//!    the batch's own.

mod admission;
mod named;
mod plan;
mod rules;
mod standing;

use gx_proto::gx::contract::v1::{Batch, BatchCommitted, LaneCursor};

use crate::book::Book;
use crate::keys;
use crate::lane::{self, LaneName};
use crate::overlay::Overlay;
use crate::state::{Invocation, State, StateError};
use crate::{Rejection, commands};

pub(crate) use admission::RULES_VERSIONS;
use plan::Plan;
pub(crate) use rules::Rules;
use standing::Standing;
pub(crate) use standing::{first_cursor, parameter};

/// Admits and runs a batch; see [`crate::execute`].
pub(crate) fn execute(
    state: &mut dyn State,
    invocation: &Invocation,
    batch: &Batch,
) -> Result<BatchCommitted, Rejection> {
    let lane = admission::check_form(batch)?;
    admission::check_role(invocation, lane)?;
    let mut plan = Plan::of(batch, lane);
    let mut overlay = Overlay::new(state);
    overlay.prefetch(&plan.keys(&invocation.msp_id, lane))?;
    let standing = Standing::load(&mut overlay, &invocation.msp_id, lane)?;
    admission::check_standing(batch, lane, &standing)?;
    admission::check_credits(batch, invocation, lane, &plan)?;
    plan.keep_lane(lane, standing.partner_lanes);
    Ok(run(overlay, invocation, batch, lane, &standing, &plan)?)
}

fn run(
    mut overlay: Overlay<'_>,
    invocation: &Invocation,
    batch: &Batch,
    lane: LaneName,
    standing: &Standing,
    plan: &Plan<'_>,
) -> Result<BatchCommitted, StateError> {
    let time_ms = invocation.timestamp_ms.max(standing.cursor.time_ms);
    let rules = Rules::load(&mut overlay, plan, lane, time_ms)?;
    let mut book = Book::new(overlay, plan.held());
    named::fold(&mut book, batch, plan)?;
    let outcomes = batch
        .commands
        .iter()
        .map(|command| commands::run(&mut book, &rules, command))
        .collect::<Result<_, _>>()?;
    let changes = book.close(&invocation.msp_id, lane, batch.first_sequence)?;
    let cursor = advance(&standing.cursor, batch, time_ms)?;
    let mut overlay = book.overlay;
    overlay.put(keys::lane(&invocation.msp_id, lane), &cursor);
    overlay.flush();
    Ok(BatchCommitted {
        msp_id: invocation.msp_id.clone(),
        lane: Some(lane.into()),
        first_sequence: batch.first_sequence,
        previous_digest: batch.previous_digest.clone(),
        cursor: Some(cursor),
        rules_version: batch.rules_version,
        outcomes,
        folded: changes.folded,
        credits_opened: changes.credits_opened,
        credits_folded: changes.credits_folded,
    })
}

/// The lane's cursor after the batch. A lane's time never goes back.
fn advance(cursor: &LaneCursor, batch: &Batch, time_ms: i64) -> Result<LaneCursor, StateError> {
    let first = cursor.digest.to_vec();
    let digest = batch.commands.iter().fold(first, |digest, command| {
        lane::chain_digest(&digest, &command.id, &command.request_digest).to_vec()
    });
    // No lane lives to number 2^64.
    let number = cursor
        .number
        .checked_add(batch.commands.len() as u64)
        .ok_or_else(|| StateError("lane has no numbers left".into()))?;
    Ok(LaneCursor {
        number,
        digest: digest.into(),
        time_ms,
    })
}
