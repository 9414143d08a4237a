//! Whether the operations of the database are the commands of the blocks.

use gx_proto::gx::operation::v1::OperationState;
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::blocks::{Place, Walk};
use crate::{checkpoint, outbox::entity::operation, store::Store};

/// What the database says is settled, at one moment.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Every settled operation.
    pub(super) operations: Vec<Row>,
    /// How far the partitions are.
    pub(super) partitions: Vec<checkpoint::Model>,
}

/// A settled operation.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Row {
    id: Uuid,
    lane: String,
    number: Option<i64>,
    fabric_tx_id: Option<String>,
    block: Option<i64>,
}

/// Reads what is settled.
pub(super) async fn read(store: &Store) -> anyhow::Result<Settled> {
    use operation::Column::{Block, FabricTxId, Id, Lane, Number, State};
    let snapshot = store.snapshot().await?;
    let settled = [OperationState::Succeeded, OperationState::Refused].map(i32::from);
    let operations = operation::Entity::find()
        .select_only()
        .columns([Id, Lane, Number, FabricTxId, Block])
        .filter(State.is_in(settled))
        .into_model()
        .all(&snapshot)
        .await?;
    Ok(Settled {
        operations,
        partitions: checkpoint::all(&snapshot).await?,
    })
}

/// Partitions that follow other blocks than these.
pub(super) fn other_chain(walk: &Walk, settled: &Settled) -> Vec<String> {
    let at = |block: i64| walk.hashes.get(usize::try_from(block).ok()?);
    let parted = settled
        .partitions
        .iter()
        .filter(|one| one.block >= 0 && at(one.block).is_none_or(|hash| one.hash != hash));
    parted
        .map(|one| {
            let (partition, block) = (one.partition, one.block);
            format!("partition {partition} of the read model has another block {block}")
        })
        .collect()
}

/// Operations and commands that do not name each other.
pub(super) fn compare(walk: &Walk, settled: &Settled) -> Vec<String> {
    let mut unseen = walk.commands.clone();
    let mut faults = Vec::new();
    for row in &settled.operations {
        let place = unseen.remove(&row.id);
        if row.place() != place {
            faults.push(format!(
                "operation {}: the database says {}, the blocks say {}",
                row.id.simple(),
                shown(row.place().as_ref()),
                shown(place.as_ref())
            ));
        }
    }
    // Beyond the lowest checkpoint a command need not be settled yet.
    let applied = settled.partitions.iter().map(|one| one.block).min();
    let applied = applied.unwrap_or(-1);
    let mut lost: Vec<_> = unseen
        .into_iter()
        .filter(|(_, place)| place.block <= applied)
        .collect();
    lost.sort_by_key(|(id, _)| *id);
    faults.extend(lost.into_iter().map(|(id, place)| {
        let (id, place) = (id.simple(), shown(Some(&place)));
        format!("command {id} of {place} has no settled operation")
    }));
    faults
}

impl Row {
    /// The place that it names; one that was refused at the door names none.
    fn place(&self) -> Option<Place> {
        Some(Place {
            block: self.block?,
            tx_id: self.fabric_tx_id.clone()?,
            lane: self.lane.clone(),
            number: self.number?,
        })
    }
}

fn shown(place: Option<&Place>) -> String {
    match place {
        None => "it is in no block".to_owned(),
        Some(place) => {
            let tx_id = place.tx_id.get(..12).unwrap_or(&place.tx_id);
            let (block, lane, number) = (place.block, &place.lane, place.number);
            format!("block {block}, transaction {tx_id}…, {lane} number {number}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(number: i64) -> Place {
        Place {
            block: number + 10,
            tx_id: format!("t{number}"),
            lane: "sys/0".to_owned(),
            number,
        }
    }

    fn row(id: u128, place: Option<Place>) -> Row {
        Row {
            id: Uuid::from_u128(id),
            lane: "sys/0".to_owned(),
            number: place.as_ref().map(|place| place.number),
            fabric_tx_id: place.as_ref().map(|place| place.tx_id.clone()),
            block: place.map(|place| place.block),
        }
    }

    fn partition(block: i64, hash: u8) -> checkpoint::Model {
        checkpoint::Model {
            partition: 0,
            owner: None,
            token: None,
            lease_until_ms: 0,
            block,
            hash: vec![hash; 32],
            block_time_ms: 0,
            height: block + 1,
            stopped: None,
        }
    }

    /// Commands 1 to 3 in blocks 11 to 13.
    fn walk() -> Walk {
        let commands = (1..=3).map(|number| (Uuid::from_u128(number as u128), place(number)));
        Walk {
            commands: commands.collect(),
            hashes: (0..14).map(|number| [number; 32]).collect(),
            ..Walk::default()
        }
    }

    fn settled(operations: Vec<Row>, block: i64) -> Settled {
        let partitions = vec![partition(block, u8::try_from(block).unwrap())];
        Settled {
            operations,
            partitions,
        }
    }

    #[test]
    fn equal_ones_have_no_fault() {
        let operations = vec![
            row(1, Some(place(1))),
            row(2, Some(place(2))),
            row(9, None), // refused at the door
        ];
        let settled = settled(operations, 12);
        assert_eq!(compare(&walk(), &settled), [] as [String; 0]);
        assert_eq!(other_chain(&walk(), &settled), [] as [String; 0]);
    }

    #[test]
    fn every_way_to_differ_is_found() {
        let all = |second: Row| vec![row(1, Some(place(1))), second, row(3, Some(place(3)))];
        for second in [
            row(2, None),
            row(2, Some(place(3))),
            row(4, Some(place(2))),
            row(4, None),
        ] {
            let faults = compare(&walk(), &settled(all(second.clone()), 13));
            assert!(!faults.is_empty(), "{second:?}");
        }
        let beyond = settled(vec![partition_row()], 11);
        assert_eq!(compare(&walk(), &beyond), [] as [String; 0]);
    }

    fn partition_row() -> Row {
        row(1, Some(place(1)))
    }

    #[test]
    fn a_read_model_of_another_chain_is_found() {
        let mut settled = settled(Vec::new(), 12);
        settled.partitions[0].hash = vec![0; 32];
        assert_eq!(other_chain(&walk(), &settled).len(), 1);
        settled.partitions[0] = partition(99, 99);
        assert_eq!(other_chain(&walk(), &settled).len(), 1);
    }
}
