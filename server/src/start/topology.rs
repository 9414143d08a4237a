//! The database's fixed rows.

use anyhow::{Context, bail};
use sea_orm::{ActiveValue::Set, entity::prelude::*};

use crate::{
    app::Topology,
    config::Config,
    outbox::{entity::control, lanes},
    projector,
    store::{Lock, Store},
};

/// Makes or reads the control row and makes lanes and partitions. What the first
/// start fixed cannot be changed by a setting: another number of lanes is refused, and
/// of partitions that of the database counts.
///
/// # Errors
/// If the number of lanes disagrees with the database, or the database fails.
pub async fn topology(store: &Store, config: &Config) -> anyhow::Result<Topology> {
    let tx = store.begin().await?;
    let partner_lanes = i32::try_from(config.lanes.partner)?;
    let partitions = i32::try_from(config.projector.partitions)?;
    let fresh = control::ActiveModel {
        id: Set(1),
        partner_lanes: Set(partner_lanes),
        partitions: Set(partitions),
        mark: Set(0),
        mark_cleared: Set(0),
        partitions_wanted: Set(None),
        deal_block: Set(None),
    };
    control::Entity::insert(fresh)
        .on_conflict(
            sea_orm::sea_query::OnConflict::column(control::Column::Id)
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(&tx)
        .await?;
    let row = control::Entity::find_by_id(1)
        .for_update()
        .one(&tx)
        .await?
        .context("no control row")?;
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
    let users = (0..partner_lanes).map(|number| format!("partner/{number}"));
    lanes::create_in(
        &tx,
        users
            .chain(["staff/0".to_owned(), "sys/0".to_owned()])
            .collect(),
    )
    .await?;
    projector::create_in(&tx, row.partitions).await?;
    tx.commit().await?;
    Ok(Topology {
        partner_lanes: config.lanes.partner,
    })
}
