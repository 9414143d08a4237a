//! What the committer makes of ordered envelopes: Fabric's flags, and the changes
//! of those that are valid.

use std::{collections::BTreeSet, ops::Bound};

use super::{
    simulation::{range_end, read},
    wellformed::Checked,
    world::{Changes, Effects, Version, Versioned, View, World},
};
use crate::{
    LedgerError, ValidationFlag, block,
    header::Headers,
    proto::{
        common,
        kvrwset::{KvrwSet, RangeQueryInfo, range_query_info::ReadsInfo},
    },
    transaction::Effect,
};

/// Judges the envelopes of the next block in order, each on the state that those
/// before it leave behind. The first `conflicts` valid ones are flagged as
/// conflicts, whatever they read.
pub(super) struct Validator<'a> {
    world: &'a World,
    conflicts: &'a mut u32,
    effects: Effects,
    ids: BTreeSet<String>,
}

impl<'a> Validator<'a> {
    pub(super) fn new(world: &'a World, conflicts: &'a mut u32) -> Self {
        let effects = Effects {
            number: world.height,
            ..Effects::default()
        };
        Self {
            world,
            conflicts,
            effects,
            ids: BTreeSet::new(),
        }
    }

    /// The flags, one an envelope, and what the block does but for its hash.
    pub(super) fn judge(mut self, envelopes: Vec<Checked>) -> (Vec<ValidationFlag>, Effects) {
        let flags = (0..)
            .zip(envelopes)
            .map(|(index, envelope)| self.envelope(index, envelope));
        (flags.collect(), self.effects)
    }

    fn envelope(&mut self, transaction: u64, envelope: Checked) -> ValidationFlag {
        let Checked { tx_id, rwset, form } = envelope;
        let flag = match form.and_then(|()| self.effect(&tx_id, rwset)) {
            Ok(rwset) => {
                let version = Version {
                    block: self.effects.number,
                    transaction,
                };
                write(&mut self.effects.changes, rwset, version);
                ValidationFlag::VALID
            }
            Err(flag) => flag,
        };
        self.effects.note(tx_id, flag);
        flag
    }

    fn effect(
        &mut self,
        tx_id: &str,
        rwset: Result<KvrwSet, ValidationFlag>,
    ) -> Result<KvrwSet, ValidationFlag> {
        if self.world.statuses.contains_key(tx_id) {
            return Err(ValidationFlag::DUPLICATE_TXID);
        }
        let rwset = rwset?;
        // Within a block an id is taken by the first that is endorsed as it should be.
        if !self.ids.insert(tx_id.to_owned()) {
            return Err(ValidationFlag::DUPLICATE_TXID);
        }
        check_reads(&rwset, self.world.view(&self.effects.changes))?;
        if *self.conflicts > 0 {
            *self.conflicts -= 1;
            return Err(ValidationFlag::MVCC_READ_CONFLICT);
        }
        Ok(rwset)
    }
}

/// What a block that stands in the chain already does, by its own flags.
///
/// # Errors
/// If the block, or a transaction in it that is flagged valid, cannot be decoded.
pub(super) fn replay(block: &common::Block) -> Result<Effects, LedgerError> {
    let header = block::header(block)?;
    let mut effects = Effects {
        number: header.number,
        hash: block::hash(block),
        ..Effects::default()
    };
    for (transaction, (envelope, flag)) in (0..).zip(block::flagged(block)?) {
        let Ok((headers, body)) = Headers::open(envelope) else {
            continue;
        };
        if flag.is_valid() && headers.is_transaction() {
            let rwset = Effect::decode(body).map_err(LedgerError::internal)?.rwset;
            let version = Version {
                block: effects.number,
                transaction,
            };
            write(&mut effects.changes, rwset, version);
        }
        effects.note(headers.channel.tx_id, flag);
    }
    Ok(effects)
}

/// Whether all that was read is still so: keys first, then ranges, as Fabric does.
fn check_reads(rwset: &KvrwSet, view: View<'_>) -> Result<(), ValidationFlag> {
    let version = |key| view.get(key).map(|value| value.version);
    if rwset
        .reads
        .iter()
        .any(|seen| *seen != read(&seen.key, version(&seen.key)))
    {
        return Err(ValidationFlag::MVCC_READ_CONFLICT);
    }
    if !rwset
        .range_queries_info
        .iter()
        .all(|range| same_range(range, view))
    {
        return Err(ValidationFlag::PHANTOM_READ_CONFLICT);
    }
    Ok(())
}

fn same_range(range: &RangeQueryInfo, view: View<'_>) -> bool {
    // Devnet endorsers give all keys; a digest of them cannot be checked.
    let Some(ReadsInfo::RawReads(seen)) = &range.reads_info else {
        return false;
    };
    let end = match range.itr_exhausted {
        true => range_end(&range.end_key),
        false => Bound::Included(range.end_key.as_str()),
    };
    let now = view
        .range(&range.start_key, end)
        .map(|(key, value)| read(key, Some(value.version)));
    now.eq(seen.kv_reads.iter().cloned())
}

fn write(changes: &mut Changes, rwset: KvrwSet, version: Version) {
    for write in rwset.writes {
        // On Fabric an empty value is a removal too.
        let kept = !write.is_delete && !write.value.is_empty();
        changes.insert(
            write.key,
            kept.then_some(Versioned {
                value: write.value,
                version,
            }),
        );
    }
}
