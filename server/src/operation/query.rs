//! Reads of operations.

use std::collections::{HashMap, HashSet};

use gx_proto::gx::operation::v1::{Operation, OperationState};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::{
    app::App,
    auth::Caller,
    error::{Error, Result},
    outbox::{
        entity::{lane, operation},
        operation::{name, to_proto},
    },
    store::bulk,
};

/// An operation that the caller may look at: an own one, or any for whoever reads
/// everything. A stranger's is `NOT_FOUND`, as none is.
pub(super) async fn find(app: &App, caller: &Caller, id: Uuid) -> Result<Operation> {
    let tx = app.store.snapshot().await?;
    let mut found = operation::Entity::find_by_id(id);
    if !caller.reads_everything() {
        found = found.filter(operation::Column::Owner.eq(caller.user.owner()));
    }
    let row = found.one(&tx).await?;
    let row = row.ok_or_else(|| Error::not_found(name(id)))?;
    let holds = !is_final(row.state) && lane_holds(&tx, &row.lane).await?;
    Ok(to_proto(&row, holds))
}

/// Operations as they are now. That whoever asks may look at them is shown by having
/// found them.
pub(super) async fn all(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<(Uuid, Operation)>> {
    let holding = holding(db).await?;
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(bulk::rows_of(1)) {
        let among = bulk::among(db, operation::Column::Id, chunk.iter().copied());
        let rows = operation::Entity::find().filter(among);
        let rows = rows.all(db).await?.into_iter();
        found.extend(rows.map(|row| (row.id, to_proto(&row, holding.contains(&row.lane)))));
    }
    Ok(found)
}

/// Operations in the order of their ids in the list.
pub(super) async fn in_order(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<Operation>> {
    let mut found: HashMap<_, _> = all(db, ids).await?.into_iter().collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// The lanes that hold: what they have not decided is stalled.
pub(super) async fn holding(db: &impl ConnectionTrait) -> Result<HashSet<String>> {
    let holding = lane::Entity::find().filter(lane::Column::HeldReason.is_not_null());
    let lanes = holding.all(db).await?.into_iter();
    Ok(lanes.map(|lane| lane.name).collect())
}

/// Whether a state, by its number, is an outcome.
pub(super) fn is_final(state: i32) -> bool {
    matches!(
        OperationState::try_from(state),
        Ok(OperationState::Succeeded | OperationState::Refused)
    )
}

async fn lane_holds(db: &impl ConnectionTrait, lane: &str) -> Result<bool> {
    let lane = lane::Entity::find_by_id(lane).one(db).await?;
    Ok(lane.is_some_and(|lane| lane.held_reason.is_some()))
}
