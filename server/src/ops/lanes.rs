//! `gx lanes list`: how far every lane is, and which hold.

use std::{collections::BTreeMap, fmt};

use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde::Serialize;

use super::{open, report::Report, table::Table};
use crate::{
    clock::{Clock, SystemClock},
    config::Config,
    outbox::entity::{lane, row},
};

/// All lanes.
#[derive(Debug, Serialize)]
pub struct List {
    lanes: Vec<Lane>,
}

/// One lane.
#[derive(Debug, Serialize)]
struct Lane {
    lane: String,
    /// The number of the last command that a batch was formed with.
    formed: i64,
    /// The number of the last command whose outcome is known.
    settled: i64,
    /// Commands without a number yet.
    pending: i64,
    /// Commands on their way to the ledger.
    under_way: i64,
    /// Who works on it; an idle lane is nobody's.
    owner: Option<String>,
    /// Why it holds.
    held: Option<String>,
}

/// Reads all lanes.
///
/// # Errors
/// If the database cannot be read.
pub async fn list(config: Config, (): ()) -> anyhow::Result<List> {
    let store = open::store(&config).await?;
    let snapshot = store.snapshot().await?;
    let pending = pending(&snapshot).await?;
    let lanes = lane::Entity::find().order_by_asc(lane::Column::Name);
    let lanes = lanes.all(&snapshot).await?;
    let now_ms = SystemClock.now_ms();
    let mut lanes: Vec<_> = lanes
        .into_iter()
        .map(|row| Lane::of(row, &pending, now_ms))
        .collect();
    lanes.sort_by_key(Lane::order);
    Ok(List { lanes })
}

/// How many commands of each lane have no number yet.
async fn pending(db: &DatabaseTransaction) -> anyhow::Result<BTreeMap<String, i64>> {
    let counts: Vec<(String, i64)> = row::Entity::find()
        .select_only()
        .column(row::Column::Lane)
        .column_as(row::Column::Position.count(), "commands")
        .filter(row::Column::Number.is_null())
        .group_by(row::Column::Lane)
        .into_tuple()
        .all(db)
        .await?;
    Ok(counts.into_iter().collect())
}

impl Lane {
    fn of(row: lane::Model, pending: &BTreeMap<String, i64>, now_ms: i64) -> Self {
        Self {
            pending: pending.get(&row.name).copied().unwrap_or(0),
            formed: row.formed_number,
            settled: row.settled_number,
            under_way: row.formed_number.saturating_sub(row.settled_number).max(0),
            owner: row.owner.filter(|_| row.lease_until_ms > now_ms),
            held: row.held_reason,
            lane: row.name,
        }
    }

    fn state(&self) -> String {
        let waits = self.pending > 0 || self.under_way > 0;
        let state = if waits { "works" } else { "idle" };
        state.to_owned()
    }

    /// By domain, then by number as a number.
    fn order(&self) -> (String, u32) {
        let (domain, number) = self.lane.split_once('/').unwrap_or((&self.lane, "0"));
        (domain.to_owned(), number.parse().unwrap_or(0))
    }
}

impl Report for List {
    /// A lane that holds needs somebody.
    fn is_sound(&self) -> bool {
        self.lanes.iter().all(|lane| lane.held.is_none())
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&[
            "lane",
            "formed",
            "settled",
            "under way",
            "pending",
            "owner",
            "state",
        ]);
        for lane in &self.lanes {
            let held = lane.held.as_ref();
            table.row([
                lane.lane.clone(),
                lane.formed.to_string(),
                lane.settled.to_string(),
                lane.under_way.to_string(),
                lane.pending.to_string(),
                lane.owner.clone().unwrap_or_else(|| "-".to_owned()),
                held.map_or_else(|| lane.state(), |why| format!("HOLDS: {why}")),
            ]);
        }
        table.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, formed: i64, held: Option<&str>) -> lane::Model {
        lane::Model {
            name: name.to_owned(),
            owner: Some("one".to_owned()),
            token: None,
            lease_until_ms: 10,
            formed_number: formed,
            formed_digest: Vec::new(),
            settled_number: 3,
            settled_digest: Vec::new(),
            self_voided: false,
            held_reason: held.map(str::to_owned),
        }
    }

    #[test]
    fn lanes_stand_in_order_of_their_numbers() {
        let names = ["sys/0", "partner/10", "partner/9", "staff/0"];
        let mut lanes = names.map(|name| Lane::of(row(name, 5, None), &BTreeMap::new(), 0));
        lanes.sort_by_key(Lane::order);
        let sorted = lanes.map(|lane| lane.lane);
        assert_eq!(sorted, ["partner/9", "partner/10", "staff/0", "sys/0"]);
    }

    #[test]
    fn a_lane_that_holds_is_not_sound() {
        let pending = BTreeMap::from([("sys/0".to_owned(), 2)]);
        let lane = Lane::of(row("sys/0", 5, None), &pending, 11);
        assert_eq!((lane.under_way, lane.pending, &lane.owner), (2, 2, &None));
        assert_eq!(lane.state(), "works");
        assert!(List { lanes: vec![lane] }.is_sound());
        let lane = Lane::of(row("sys/0", 5, Some("forked")), &pending, 0);
        let list = List { lanes: vec![lane] };
        assert!(!list.is_sound() && list.to_string().contains("HOLDS: forked"));
    }
}
