//! Facts into rows, in the order in which everybody locks: lanes by name,
//! operations and outbox rows by id, wallets by account.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::anyhow;
use sea_orm::{DatabaseTransaction, QueryFilter, QueryOrder, entity::prelude::*};

use super::facts::{Facts, LaneMoved};
use crate::{
    directory,
    error::Result,
    explorer, identity,
    outbox::{
        entity::{envelope, lane},
        hold, settle,
    },
    store::{Lock, bulk},
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
    wallet::projection::lock_in(tx, touched(facts, &settling)).await?;
    wallet::projection::post_in(tx, &facts.postings).await?;
    wallet::projection::folded_in(tx, &facts.folded).await?;
    wallet::projection::credits_in(tx, &facts.credits_opened, &facts.credits_folded).await?;
    hold::release_in(tx, settling.held).await?;

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

/// Every account whose wallet changes.
fn touched<'a>(facts: &'a Facts, settling: &'a settle::Settling) -> BTreeSet<&'a str> {
    let postings = facts
        .postings
        .iter()
        .map(|posting| posting.account.as_str());
    let folded = facts.folded.iter().map(|folded| folded.account.as_str());
    postings
        .chain(folded)
        .chain(settling.held.keys().map(String::as_str))
        .collect()
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
    for (name, place) in settled {
        envelope::Entity::delete_many()
            .filter(envelope::Column::Lane.eq(name.as_str()))
            .filter(envelope::Column::EndNumber.lte(place.number))
            .exec(tx)
            .await?;
        lane::Entity::update_many()
            .col_expr(lane::Column::SettledNumber, place.number.into())
            .col_expr(lane::Column::SettledDigest, place.digest.to_vec().into())
            .filter(lane::Column::Name.eq(name))
            .exec(tx)
            .await?;
    }
    Ok(())
}
