//! What everybody is shown of blocks: pure, from blocks to rows.

use anyhow::{Result, anyhow};
use gx_contract::lane::LaneName;
use gx_fabric::{Block, Transaction, ValidationFlag};
use gx_proto::gx::contract::v1::BatchCommitted;

use crate::explorer::entity::{block, transaction};

/// Blocks and their transactions, in their order.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) blocks: Vec<block::Model>,
    pub(super) transactions: Vec<transaction::Model>,
}

impl Shown {
    /// Takes a block; its transactions follow.
    pub(super) fn block(&mut self, block: &Block) -> Result<()> {
        let transactions = &block.transactions;
        let valid = transactions
            .iter()
            .filter(|transaction| transaction.flag == ValidationFlag::VALID);
        self.blocks.push(block::Model {
            number: i64::try_from(block.number)?,
            hash: block.hash.to_vec(),
            previous_hash: block.previous_hash.to_vec(),
            data_hash: block.data_hash.to_vec(),
            time_ms: block.time_ms,
            transactions: i32::try_from(transactions.len())?,
            valid: i32::try_from(valid.count())?,
            commands: 0,
        });
        Ok(())
    }

    /// Takes a transaction of the block that was taken last, and what it did.
    pub(super) fn transaction(
        &mut self,
        block: &Block,
        transaction: &Transaction,
        event: Option<&BatchCommitted>,
    ) -> Result<()> {
        let mut row = transaction::Model {
            block: i64::try_from(block.number)?,
            position: i32::try_from(transaction.index)?,
            fabric_tx_id: readable(&transaction.tx_id),
            flag: transaction.flag.0.into(),
            lane: String::new(),
            first_number: 0,
            commands: 0,
            event: None,
        };
        if let Some(event) = event {
            let lane = event.lane.as_ref().ok_or_else(|| anyhow!("no lane"))?;
            row.lane = LaneName::try_from(lane)?.to_string();
            row.first_number = i64::try_from(event.first_sequence)?;
            row.commands = i32::try_from(event.outcomes.len())?;
            row.event = transaction.event.as_ref().map(|event| event.to_vec());
        }
        if let Some(block) = self.blocks.last_mut() {
            block.commands += row.commands;
        }
        self.transactions.push(row);
        Ok(())
    }
}

/// The id of a transaction, if it is one. That of an invalid transaction may be any
/// text, also one that no database takes.
fn readable(tx_id: &str) -> String {
    let is_id = tx_id.len() == 64
        && tx_id
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if is_id {
        tx_id.to_owned()
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use gx_proto::gx::contract::v1::{CommandOutcome, Lane};
    use prost::Message;

    use super::*;

    fn transaction(index: u32, flag: u8, tx_id: &str, event: Option<Bytes>) -> Transaction {
        Transaction {
            tx_id: tx_id.to_owned(),
            index,
            flag: ValidationFlag(flag),
            event,
        }
    }

    #[test]
    fn counts_tell_valid_transactions_and_their_commands() {
        let event = BatchCommitted {
            lane: Some(Lane {
                domain: 1,
                number: 3,
            }),
            first_sequence: 7,
            outcomes: vec![CommandOutcome::default(); 2],
            ..BatchCommitted::default()
        };
        let bytes = Bytes::from(event.encode_to_vec());
        let id = "0a".repeat(32);
        let block = Block {
            number: 9,
            hash: [1; 32],
            previous_hash: [2; 32],
            data_hash: Bytes::from_static(&[3; 32]),
            time_ms: 4,
            transactions: vec![
                transaction(0, 0, &id, Some(bytes.clone())),
                transaction(1, 11, &id, None),
                // Nothing of it may reach a database.
                transaction(2, 2, "a\0b", None),
                transaction(3, 0, &id, None),
            ],
        };
        let mut shown = Shown::default();
        shown.block(&block).unwrap();
        for (transaction, event) in block
            .transactions
            .iter()
            .zip([Some(&event), None, None, None])
        {
            shown.transaction(&block, transaction, event).unwrap();
        }
        let row = &shown.blocks[0];
        assert_eq!((row.transactions, row.valid, row.commands), (4, 2, 2));
        let rows: Vec<_> = shown
            .transactions
            .iter()
            .map(|row| {
                (
                    row.position,
                    row.flag,
                    row.fabric_tx_id.as_str(),
                    row.commands,
                )
            })
            .collect();
        let id = id.as_str();
        assert_eq!(
            rows,
            [(0, 0, id, 2), (1, 11, id, 0), (2, 2, "", 0), (3, 0, id, 0)]
        );
        let first = &shown.transactions[0];
        assert_eq!((first.lane.as_str(), first.first_number), ("partner/3", 7));
        assert_eq!(first.event.as_deref(), Some(&bytes[..]));
    }
}
