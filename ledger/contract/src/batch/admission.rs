//! Whether a batch may run at all.

use std::collections::BTreeSet;

use gx_proto::gx::contract::v1::{
    AccountCredits, Batch, BatchRefusal, BatchRefused, Command, CreditKey, LaneCursor,
};

use super::plan::Plan;
use super::standing::Standing;
use crate::keys;
use crate::lane::LaneName;
use crate::state::Invocation;

/// Bytes of a command's id.
const ID_BYTES: usize = 16;
/// Bytes of a command's request digest.
const DIGEST_BYTES: usize = 32;
/// The most credits named for an account that is only debited.
const CREDITS_MAX: usize = 256;
/// The most credits named for an account that is folded in the batch.
const CREDITS_MAX_FOLD: usize = 1_000;

/// The versions of the rules that this contract carries. A new version joins the
/// old one here before an operator switches to it, so that peers never disagree.
pub(crate) const RULES_VERSIONS: std::ops::RangeInclusive<u64> = 1..=1;

/// What can be told from the batch alone; gives its lane.
pub(super) fn check_form(batch: &Batch) -> Result<LaneName, BatchRefused> {
    let malformed = || refused(BatchRefusal::Malformed);
    let lane = batch.lane.as_ref().ok_or_else(malformed)?;
    let lane = LaneName::try_from(lane).map_err(|_| malformed())?;
    if batch.commands.is_empty() || !batch.commands.iter().all(can_be_chained) {
        return Err(malformed());
    }
    let mut accounts = BTreeSet::new();
    let fine = |credits: &AccountCredits| {
        accounts.insert(credits.account.clone()) && credits.credits.iter().all(names_a_key)
    };
    if !batch.credits.iter().all(fine) {
        return Err(malformed());
    }
    Ok(lane)
}

/// Whether the submitter's role may move lanes of this domain.
pub(super) fn check_role(invocation: &Invocation, lane: LaneName) -> Result<(), BatchRefused> {
    if invocation.role == Some(lane.domain.role()) && keys::is_msp_id(&invocation.msp_id) {
        Ok(())
    } else {
        Err(refused(BatchRefusal::Lane))
    }
}

/// Whether the batch continues its lane under the rules in force.
pub(super) fn check_standing(
    batch: &Batch,
    lane: LaneName,
    standing: &Standing,
) -> Result<(), BatchRefused> {
    if !lane.exists(standing.partner_lanes) {
        return Err(refused(BatchRefusal::Lane));
    }
    let version = standing.rules_version;
    if u64::from(batch.rules_version) != version || !RULES_VERSIONS.contains(&version) {
        return Err(limited(BatchRefusal::RulesVersion, version));
    }
    if !continues(batch, &standing.cursor) {
        return Err(BatchRefused {
            cursor: Some(standing.cursor.clone()),
            ..refused(BatchRefusal::LaneCursor)
        });
    }
    if batch.commands.len() as u64 > standing.max_commands {
        return Err(limited(
            BatchRefusal::TooManyCommands,
            standing.max_commands,
        ));
    }
    Ok(())
}

/// Whether the credits that the batch names are few enough and none is its own.
pub(super) fn check_credits(
    batch: &Batch,
    invocation: &Invocation,
    lane: LaneName,
    plan: &Plan<'_>,
) -> Result<(), BatchRefused> {
    let is_own = |key: &CreditKey| {
        key.msp_id == invocation.msp_id
            && key.first_sequence == batch.first_sequence
            && key.lane.as_ref().map(LaneName::try_from) == Some(Ok(lane))
    };
    for named in &batch.credits {
        let limit = if plan.folds(&named.account) {
            CREDITS_MAX_FOLD
        } else {
            CREDITS_MAX
        };
        if named.credits.len() > limit || named.credits.iter().any(is_own) {
            return Err(limited(BatchRefusal::TooManyCredits, limit as u64));
        }
    }
    Ok(())
}

fn can_be_chained(command: &Command) -> bool {
    command.id.len() == ID_BYTES && command.request_digest.len() == DIGEST_BYTES
}

fn names_a_key(key: &CreditKey) -> bool {
    let lane = key.lane.as_ref().map(LaneName::try_from);
    keys::is_msp_id(&key.msp_id) && matches!(lane, Some(Ok(_)))
}

fn continues(batch: &Batch, cursor: &LaneCursor) -> bool {
    cursor.number.checked_add(1) == Some(batch.first_sequence)
        && cursor.digest == batch.previous_digest
}

fn refused(reason: BatchRefusal) -> BatchRefused {
    limited(reason, 0)
}

fn limited(reason: BatchRefusal, limit: u64) -> BatchRefused {
    BatchRefused {
        reason: reason.into(),
        cursor: None,
        limit,
    }
}
