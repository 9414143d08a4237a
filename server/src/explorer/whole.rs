//! A block with everything in it, from which each caller's view is cut.

use std::collections::HashMap;

use gx_proto::gx::ledger::v1::{Block, Transaction};
use prost::Message;
use uuid::Uuid;

use super::sight::{Filter, Known, Sight};

/// Bytes from which on a block is sent in parts: with one more transaction a part
/// stays below the 4 MiB that clients take.
const PART_BYTES: usize = 1 << 20;

/// A block with everything in it.
#[derive(Debug)]
pub(super) struct Whole {
    /// The block without transactions.
    pub(super) block: Block,
    pub(super) batches: Vec<Batch>,
}

/// A transaction with all of its commands.
#[derive(Debug)]
pub(super) struct Batch {
    /// The transaction without commands.
    pub(super) transaction: Transaction,
    commands: Vec<Known>,
    /// The places of the commands that are a user's business, so that a view costs
    /// what it shows.
    whose: HashMap<Uuid, Vec<usize>>,
}

impl Whole {
    /// How many commands it holds.
    pub(super) fn size(&self) -> usize {
        self.batches.iter().map(|batch| batch.commands.len()).sum()
    }

    /// The block as a caller sees it; `None` if nothing in it fits a filter that is
    /// set.
    pub(super) fn view(&self, sight: Sight, filter: &Filter) -> Option<Block> {
        let batches = self.batches.iter();
        let transactions: Vec<_> = batches
            .map(|batch| batch.view(sight, filter))
            .filter(|transaction| !filter.is_set() || !transaction.commands.is_empty())
            .collect();
        (!filter.is_set() || !transactions.is_empty()).then(|| Block {
            transactions,
            ..self.block.clone()
        })
    }
}

impl Batch {
    pub(super) fn new(transaction: Transaction, commands: Vec<Known>) -> Self {
        let mut whose = HashMap::<Uuid, Vec<usize>>::new();
        for (place, known) in commands.iter().enumerate() {
            for user in known.users() {
                let places = whose.entry(user).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
        Self {
            transaction,
            commands,
            whose,
        }
    }

    /// The transaction as a caller sees it.
    pub(super) fn view(&self, sight: Sight, filter: &Filter) -> Transaction {
        let commands = self.business_of(sight).into_iter();
        let commands = commands.filter(|known| filter.takes(known));
        Transaction {
            commands: commands
                .filter_map(|known| sight.of_command(known))
                .collect(),
            ..self.transaction.clone()
        }
    }

    fn business_of(&self, sight: Sight) -> Vec<&Known> {
        match sight.of_one() {
            Some(user) => {
                let places = self.whose.get(&user).into_iter().flatten();
                places.map(|place| &self.commands[*place]).collect()
            }
            None => self.commands.iter().collect(),
        }
    }
}

/// Cuts a block between its transactions into parts that clients take.
pub(super) fn parts(mut block: Block) -> Vec<Block> {
    if block.encoded_len() <= PART_BYTES {
        return vec![block];
    }
    let transactions = std::mem::take(&mut block.transactions);
    let (mut parts, mut bytes) = (vec![block.clone()], 0);
    for transaction in transactions {
        if bytes > PART_BYTES {
            parts.push(block.clone());
            bytes = 0;
        }
        bytes += transaction.encoded_len();
        if let Some(part) = parts.last_mut() {
            part.transactions.push(transaction);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::ledger::v1::Command;

    use super::*;

    fn block(transactions: usize, bytes: usize) -> Block {
        let transaction = |index| Transaction {
            index: u32::try_from(index).unwrap(),
            commands: vec![Command {
                reason: "x".repeat(bytes),
                ..Command::default()
            }],
            ..Transaction::default()
        };
        Block {
            number: 7,
            transactions: (0..transactions).map(transaction).collect(),
            ..Block::default()
        }
    }

    #[test]
    fn large_block_is_cut_between_its_transactions() {
        let cut = parts(block(18, 500_000));
        assert!(cut.iter().all(|part| part.number == 7));
        let sizes = cut.iter().map(|part| part.transactions.len());
        assert_eq!(sizes.collect::<Vec<_>>(), [3; 6]);
        let order = cut.iter().flat_map(|part| &part.transactions);
        assert!(order.map(|one| one.index).eq(0..18));
        assert!(cut.iter().all(|part| part.encoded_len() < 4 << 20));
    }

    #[test]
    fn small_block_is_whole() {
        assert_eq!(parts(block(18, 5)), [block(18, 5)]);
        assert_eq!(parts(block(0, 0)), [block(0, 0)]);
    }
}
