//! Facts into rows, in the order in which everybody locks: lanes by name,
//! operations and outbox rows by id, wallets by account.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::anyhow;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, QueryFilter, QueryOrder,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, Query},
};

use super::facts::{Facts, LaneMoved};
use crate::{
    directory,
    error::Result,
    explorer, identity,
    outbox::{
        entity::{envelope, lane},
        lanes::Cursor,
        settle,
    },
    store::{
        Lock,
        bulk::{self, FIRST, GIVEN, SECOND, THIRD},
    },
    tokenomics,
    wallet::{self, projection::OpenedAccount},
};

/// Applies everything that a group of blocks means for a partition.
pub(super) async fn apply_in(
    tx: &DatabaseTransaction,
    facts: &Facts,
    partition: i32,
    now_ms: i64,
) -> Result<()> {
    lanes_in(tx, &facts.lanes).await?;
    let settling = settle::settle_in(tx, &facts.settled, now_ms).await?;

    let listings: Vec<_> = facts.opened.iter().map(listing).collect();
    directory::opened_in(tx, &listings).await?;
    wallet::projection::open_in(tx, &facts.opened).await?;
    let changes = wallet::projection::Changes {
        postings: &facts.postings,
        folded: &facts.folded,
        released: &settling.held,
    };
    wallet::projection::change_in(tx, changes).await?;
    wallet::projection::credits_in(tx, &facts.credits_opened, &facts.credits_folded).await?;

    for opened in &facts.opened {
        identity::projection::account_opened_in(tx, &opened.account).await?;
    }
    for (operation, refusal) in settling.failed {
        identity::projection::account_refused_in(tx, operation, refusal).await?;
    }

    tokenomics::projection::countries_loaded_in(tx, &facts.countries).await?;
    tokenomics::projection::accounts_created_in(tx, &facts.created).await?;
    tokenomics::projection::supply_in(tx, partition, &facts.changes).await?;
    explorer::projection::shown_in(tx, &facts.shown.blocks, &facts.shown.transactions).await
}

fn listing(opened: &OpenedAccount) -> directory::Opened {
    directory::Opened {
        account: opened.account.clone(),
        account_type: opened.account_type,
        country: opened.country.clone(),
    }
}

/// Moves settled cursors, each from exactly where it stood, and drops envelopes
/// that they have passed.
async fn lanes_in(tx: &DatabaseTransaction, moved: &[LaneMoved]) -> Result<()> {
    if moved.is_empty() {
        return Ok(());
    }
    let names: BTreeSet<_> = moved.iter().map(|moved| moved.lane.as_str()).collect();
    let rows = lane::Entity::find()
        .filter(bulk::among(tx, lane::Column::Name, names))
        .order_by_asc(lane::Column::Name)
        .for_update()
        .all(tx)
        .await?;
    let mut settled: BTreeMap<String, _> = rows
        .into_iter()
        .map(|row| (row.name.clone(), row.settled()))
        .collect();
    for moved in moved {
        let place = settled
            .get_mut(&moved.lane)
            .ok_or_else(|| anyhow!("lane {} has no row", moved.lane))?;
        if *place != moved.from {
            return Err(anyhow!(
                "lane {} stands at {}, the block begins after {}",
                moved.lane,
                place.number,
                moved.from.number
            )
            .into());
        }
        *place = moved.to;
    }
    drop_passed_in(tx, &settled).await?;
    move_in(tx, settled).await
}

/// Drops the envelopes that settled cursors have passed.
async fn drop_passed_in(
    tx: &DatabaseTransaction,
    settled: &BTreeMap<String, Cursor>,
) -> Result<()> {
    use envelope::{Column, Entity};
    let places = settled.iter();
    let places = places.map(|(lane, place)| (lane.clone(), place.number));
    let passed = Query::select()
        .column((GIVEN, FIRST))
        .from(bulk::values(tx, places))
        .and_where(Expr::col((Entity, Column::Lane)).equals((GIVEN, FIRST)))
        .and_where(Expr::col((Entity, Column::EndNumber)).lte(Expr::col((GIVEN, SECOND))))
        .to_owned();
    let drop = Entity::delete_many()
        .filter(Expr::exists(passed))
        // Says nothing more, but that the rows are found by their index.
        .filter(bulk::among(tx, Column::Lane, settled.keys().cloned()));
    drop.exec(tx).await?;
    Ok(())
}

/// Moves settled cursors to their places.
async fn move_in(tx: &DatabaseTransaction, settled: BTreeMap<String, Cursor>) -> Result<()> {
    use lane::{Column, Entity};
    let lanes: Vec<_> = settled.keys().cloned().collect();
    let places = settled.into_iter();
    let places = places.map(|(lane, place)| (lane, place.number, place.digest.to_vec()));
    let update = Query::update()
        .table(Entity)
        .from(bulk::values(tx, places))
        .value(Column::SettledNumber, Expr::col((GIVEN, SECOND)))
        .value(Column::SettledDigest, Expr::col((GIVEN, THIRD)))
        .and_where(Expr::col((Entity, Column::Name)).equals((GIVEN, FIRST)))
        // Says nothing more, but that the rows are found by their index.
        .and_where(bulk::among(tx, Column::Name, lanes))
        .to_owned();
    tx.execute(&update).await?;
    Ok(())
}
