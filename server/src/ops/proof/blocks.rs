//! A walk through all blocks: every hash is made again, and every command is
//! noted with its place.

use std::{
    collections::{BTreeMap, HashMap},
    pin::pin,
};

use anyhow::{Context as _, anyhow};
use futures::StreamExt as _;
use gx_contract::lane::LaneName;
use gx_fabric::{Ledger as _, Transaction, block, client::FabricLedger, proto::common::Block};
use gx_proto::gx::contract::v1::BatchCommitted;
use prost::Message as _;
use uuid::Uuid;

use crate::outbox::lanes::Cursor;

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// The organization whose commands are noted.
    pub(super) msp_id: String,
    /// The contract's name on the channel.
    pub(super) chaincode: String,
    /// The hash of each block, by its number.
    pub(super) hashes: Vec<[u8; 32]>,
    /// Where each command of this system stands.
    pub(super) commands: HashMap<Uuid, Place>,
    /// Blocks that are not what they must be.
    pub(super) broken: Vec<String>,
    /// Commands that stand twice or in no order.
    pub(super) out_of_order: Vec<String>,
    /// How far each lane is.
    pub(super) lanes: BTreeMap<String, Cursor>,
}

/// Where a command stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The block.
    pub(super) block: i64,
    /// The Fabric transaction.
    pub(super) tx_id: String,
    /// The lane.
    pub(super) lane: String,
    /// The number in the lane.
    pub(super) number: i64,
}

/// Walks through the blocks below a height.
///
/// # Errors
/// If no blocks can be had. A block that is not what it must be ends the walk, and is
/// told.
pub(super) async fn walk(ledger: &FabricLedger, height: u64) -> anyhow::Result<Walk> {
    let mut walk = Walk {
        msp_id: ledger.msp_id().to_owned(),
        chaincode: ledger.chaincode().to_owned(),
        ..Walk::default()
    };
    let limit = usize::try_from(height)?;
    let mut blocks = pin!(ledger.raw_blocks(0).await?.take(limit));
    while let Some(block) = blocks.next().await {
        let taken = block
            .map_err(anyhow::Error::from)
            .and_then(|block| walk.take(&block));
        if let Err(error) = taken {
            let number = walk.hashes.len();
            walk.broken.push(format!("block {number}: {error:#}"));
            break;
        }
    }
    Ok(walk)
}

impl Walk {
    /// Takes the next block.
    fn take(&mut self, block: &Block) -> anyhow::Result<()> {
        let header = block::header(block)?;
        let previous = self.hashes.last().map_or(&[][..], <[u8; 32]>::as_slice);
        if header.number != self.hashes.len() as u64 || header.previous_hash != previous {
            return Err(anyhow!("does not follow the block before"));
        }
        let data = block.data.as_ref().context("has no data")?;
        if header.data_hash != block::data_hash(data) {
            return Err(anyhow!("holds other transactions than its header says"));
        }
        let number = i64::try_from(header.number)?;
        for transaction in block::read(block, &self.chaincode)?.transactions {
            if let Some(event) = &transaction.event {
                let event = BatchCommitted::decode(event.clone())?;
                self.batch(number, &transaction, &event)?;
            }
        }
        self.hashes.push(block::hash(block));
        Ok(())
    }

    fn batch(
        &mut self,
        block: i64,
        transaction: &Transaction,
        event: &BatchCommitted,
    ) -> anyhow::Result<()> {
        if event.msp_id != self.msp_id {
            return Ok(());
        }
        let lane = event.lane.as_ref().context("a batch without lane")?;
        let lane = LaneName::try_from(lane)?.to_string();
        let cursor = event.cursor.as_ref().context("a batch without cursor")?;
        let base = self.lanes.get(&lane).copied().unwrap_or(Cursor::START);
        let named = Cursor::new(
            i64::try_from(event.first_sequence)? - 1,
            &event.previous_digest,
        );
        let mut end = base;
        for command in &event.outcomes {
            end = end.after(&command.id, &command.request_digest);
            let place = Place {
                block,
                tx_id: transaction.tx_id.clone(),
                lane: lane.clone(),
                number: end.number,
            };
            self.command(Uuid::from_slice(&command.id)?, place);
        }
        if named != base || end != Cursor::new(i64::try_from(cursor.number)?, &cursor.digest) {
            let fault = format!("block {block}: a batch of {lane} does not follow the one before");
            self.out_of_order.push(fault);
        }
        self.lanes.insert(lane, end);
        Ok(())
    }

    fn command(&mut self, id: Uuid, place: Place) {
        let block = place.block;
        if let Some(first) = self.commands.insert(id, place) {
            let id = id.simple();
            let fault = format!("command {id} stands in block {} and {block}", first.block);
            self.out_of_order.push(fault);
        }
    }
}

#[cfg(test)]
mod tests {
    use gx_contract::lane::SYSTEM_LANE;
    use gx_fabric::{ValidationFlag, proto::common::BlockData};
    use gx_proto::gx::contract::v1::{CommandOutcome, LaneCursor};

    use super::*;

    fn next(walk: &Walk, envelopes: Vec<bytes::Bytes>) -> Block {
        let number = walk.hashes.len() as u64;
        let previous = walk.hashes.last().map_or(Vec::new(), |hash| hash.to_vec());
        let flags = vec![ValidationFlag::BAD_PAYLOAD; envelopes.len()];
        block::assemble(number, previous.into(), envelopes, &flags)
    }

    #[test]
    fn a_changed_block_does_not_follow() {
        let mut walk = Walk::default();
        walk.take(&block::genesis("gx", 0)).unwrap();
        let whole = next(&walk, vec![vec![1].into()]);

        let mut changed = whole.clone();
        changed.data = Some(BlockData {
            data: vec![vec![2].into()],
        });
        let error = walk.take(&changed).unwrap_err().to_string();
        assert!(error.contains("other transactions"), "{error}");

        let mut unlinked = whole.clone();
        unlinked.header.as_mut().unwrap().previous_hash = vec![0; 32].into();
        let error = walk.take(&unlinked).unwrap_err().to_string();
        assert!(error.contains("does not follow"), "{error}");

        walk.take(&whole).unwrap();
        assert_eq!(walk.hashes.len(), 2);
    }

    fn batch(base: Cursor, ids: &[u8]) -> BatchCommitted {
        let outcomes = ids.iter().map(|id| CommandOutcome {
            id: vec![*id; 16].into(),
            request_digest: vec![*id; 32].into(),
            outcome: None,
        });
        let outcomes: Vec<_> = outcomes.collect();
        let end = outcomes.iter().fold(base, |end, command| {
            end.after(&command.id, &command.request_digest)
        });
        BatchCommitted {
            msp_id: String::new(),
            lane: Some(SYSTEM_LANE.into()),
            first_sequence: u64::try_from(base.number).unwrap() + 1,
            previous_digest: base.digest.to_vec().into(),
            cursor: Some(LaneCursor {
                number: u64::try_from(end.number).unwrap(),
                digest: end.digest.to_vec().into(),
                time_ms: 0,
            }),
            outcomes,
            ..BatchCommitted::default()
        }
    }

    fn transaction() -> Transaction {
        Transaction {
            tx_id: "t".to_owned(),
            index: 0,
            flag: ValidationFlag::VALID,
            event: None,
        }
    }

    #[test]
    fn commands_have_one_place_and_lanes_no_gaps() {
        let mut walk = Walk::default();
        let mut take = |block, event| {
            walk.batch(block, &transaction(), &event).unwrap();
            (walk.out_of_order.len(), walk.lanes["sys/0"])
        };
        let (faults, end) = take(1, batch(Cursor::START, &[1, 2]));
        assert_eq!((faults, end.number), (0, 2));
        let (faults, end) = take(2, batch(end, &[3]));
        assert_eq!((faults, end.number), (0, 3));
        let (faults, end) = take(3, batch(end, &[2]));
        assert_eq!(faults, 1, "command 2 a second time");
        take(4, batch(Cursor::START, &[4]));
        assert_eq!(walk.out_of_order.len(), 2, "a gap after {}", end.number);
        assert_eq!(walk.commands[&Uuid::from_bytes([3; 16])].number, 3);
    }
}
