//! The database's fixed rows.

use anyhow::{Context, bail};
use sea_orm::{ActiveValue::Set, entity::prelude::*, sea_query::OnConflict};

use crate::{
    app::Topology,
    config::Config,
    outbox::{entity::control, lanes},
    projector,
    store::{Lock, Store},
};

/// Reads the control row, or makes it with lanes and partitions at the very first start.
/// What that fixed cannot be changed by a setting: another number of lanes is refused, and
/// of partitions that of the database counts.
///
/// # Errors
/// If the number of lanes disagrees with the database, or the database fails.
pub async fn topology(store: &Store, config: &Config) -> anyhow::Result<Topology> {
    let partner_lanes = i32::try_from(config.lanes.partner)?;
    let partitions = i32::try_from(config.projector.partitions)?;
    let row = match control::Entity::find_by_id(1).one(store.write()).await? {
        Some(row) => row,
        None => make(store, partner_lanes, partitions).await?,
    };
    if row.partner_lanes != partner_lanes {
        bail!(
            "lanes.partner is {partner_lanes}, but this system was started with {}, for ever",
            row.partner_lanes
        );
    }
    if row.partitions != partitions {
        tracing::info!(
            partitions = row.partitions,
            "projector.partitions is {partitions}, which counts for the first start alone"
        );
    }
    Ok(Topology {
        partner_lanes: config.lanes.partner,
    })
}

/// Makes the rows, unless another process is first; the control row that counts.
async fn make(
    store: &Store,
    partner_lanes: i32,
    partitions: i32,
) -> anyhow::Result<control::Model> {
    let tx = store.begin().await?;
    let fresh = control::ActiveModel {
        id: Set(1),
        partner_lanes: Set(partner_lanes),
        partitions: Set(partitions),
        mark: Set(0),
        mark_cleared: Set(0),
        partitions_wanted: Set(None),
        deal_block: Set(None),
    };
    let nothing = OnConflict::column(control::Column::Id)
        .do_nothing()
        .to_owned();
    control::Entity::insert(fresh)
        .on_conflict(nothing)
        .exec_without_returning(&tx)
        .await?;
    let row = control::Entity::find_by_id(1)
        .for_update()
        .one(&tx)
        .await?
        .context("no control row")?;
    let users = (0..row.partner_lanes).map(|number| format!("partner/{number}"));
    let others = ["staff/0", "sys/0"].map(str::to_owned);
    lanes::create_in(&tx, users.chain(others).collect()).await?;
    projector::create_in(&tx, row.partitions).await?;
    tx.commit().await?;
    Ok(row)
}
