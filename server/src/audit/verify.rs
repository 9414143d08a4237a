//! Walks the chain and finds what does not belong.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    chain,
    entity::{line, seal},
};
use crate::{error::Result, store::Store};

/// Lines read at once.
const PAGE: u64 = 1_000;

/// Whether the audit log is as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// Every sealed line is, and so is their order.
    Intact {
        /// Sealed lines.
        lines: i64,
    },
    /// It was altered.
    Broken {
        /// The first place at which the chain does not hold.
        sequence: i64,
    },
}

/// Walks the whole chain as it stands at one moment, and compares its end with the
/// head that the sealer keeps. Lines that are not sealed yet are not looked at.
///
/// # Errors
/// If the database fails.
pub async fn verify(store: &Store) -> Result<Verification> {
    let snapshot = store.snapshot().await?;
    if let Some(sequence) = before_first(&snapshot).await? {
        return Ok(Verification::Broken { sequence });
    }
    let mut last = Last {
        sequence: 0,
        hash: vec![0; 32],
    };
    loop {
        let page = page(&snapshot, last.sequence).await?;
        if page.is_empty() {
            break;
        }
        for line in page {
            let sequence = last.sequence + 1;
            match last.followed_by(line) {
                Some(next) => last = next,
                None => return Ok(Verification::Broken { sequence }),
            }
        }
    }
    let head = seal::Entity::find_by_id(seal::ID).one(&snapshot).await?;
    Ok(match head {
        Some(head) => last.compared_with(&head),
        None => Verification::Broken { sequence: 0 },
    })
}

/// A place before the first, which no sealer gives and no page would show.
async fn before_first(db: &impl ConnectionTrait) -> Result<Option<i64>> {
    let line = line::Entity::find()
        .filter(line::Column::Sequence.lte(0))
        .order_by_asc(line::Column::Sequence)
        .one(db)
        .await?;
    Ok(line.and_then(|line| line.sequence))
}

async fn page(db: &impl ConnectionTrait, after: i64) -> Result<Vec<line::Model>> {
    Ok(line::Entity::find()
        .filter(line::Column::Sequence.gt(after))
        .order_by_asc(line::Column::Sequence)
        .limit(PAGE)
        .all(db)
        .await?)
}

/// The last line that held.
struct Last {
    sequence: i64,
    hash: Vec<u8>,
}

impl Last {
    /// The line, if it is the one that the chain goes on with.
    fn followed_by(&self, line: line::Model) -> Option<Self> {
        let sequence = self.sequence + 1;
        let hash = chain::hash(&self.hash, sequence, &line);
        let holds = line.sequence == Some(sequence)
            && line.previous_hash.as_ref() == Some(&self.hash)
            && line.hash.as_ref() == Some(&hash);
        holds.then_some(Self { sequence, hash })
    }

    /// Lines that were cut off the end or put there show against the head.
    fn compared_with(&self, head: &seal::Model) -> Verification {
        if self.sequence == head.sequence && self.hash == head.hash {
            Verification::Intact {
                lines: self.sequence,
            }
        } else if self.sequence == head.sequence {
            Verification::Broken {
                sequence: head.sequence,
            }
        } else {
            Verification::Broken {
                sequence: self.sequence.min(head.sequence) + 1,
            }
        }
    }
}
