//! Dealing the lanes to another number of partitions, while everything runs.
//!
//! What an operator wants stands in the control row, with the block at which all
//! partitions stop: the highest checkpoint of that moment. No partition passes it, and
//! once all stand there whoever looks first deals: as many rows of `projector_state` as
//! are wanted, all at that block and nobody's. A worker of before finds another number
//! in the control row, and begins anew.
//!
//! Nothing else is changed. Rows of accounts, lanes and countries know no partition,
//! partition 0 goes on with what is shown of blocks, and what any partition ever kept of
//! the supply stays a part of the sum.

use sea_orm::{DatabaseTransaction, IntoActiveModel, QueryFilter, QueryOrder, entity::prelude::*};

use crate::{
    checkpoint::{self, Column, Entity, Model},
    error::Result,
    fault::{self, Fault, kill_point},
    outbox::entity::control,
    store::{Lock, Store, lock_out_sharers_in},
};

/// Asks for a number of partitions, or takes back what was asked for if there are so
/// many already. Called before the transaction has locked anything.
///
/// # Errors
/// If the database fails.
pub async fn want_in(tx: &DatabaseTransaction, partitions: i32) -> Result<()> {
    let Some(control) = locked_in(tx).await? else {
        return Ok(());
    };
    let changes = control.partitions != partitions;
    let highest = checkpoint::all(tx).await?.iter().map(|row| row.block).max();
    let wanted = changes.then_some(partitions);
    write_in(tx, control.partitions, wanted, highest.filter(|_| changes)).await
}

/// Takes back what was asked for, unless it was done or another number is asked for
/// meanwhile.
///
/// # Errors
/// If the database fails.
pub async fn withdraw(store: &Store, partitions: i32) -> Result<()> {
    let tx = store.begin().await?;
    if let Some(control) = locked_in(&tx).await?
        && control.partitions_wanted == Some(partitions)
    {
        write_in(&tx, control.partitions, None, None).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Deals, if another number of partitions is wanted and all stand at the block agreed
/// upon.
///
/// # Errors
/// If the database fails.
pub async fn carry_out(store: &Store) -> Result<()> {
    let control = control::Entity::find_by_id(1).one(store.read()).await?;
    let rows = checkpoint::all(store.read()).await?;
    if control.is_none_or(|control| wanted_now(&control, &rows).is_none()) {
        return Ok(());
    }
    let tx = store.begin().await?;
    let control = locked_in(&tx).await?;
    let rows = Entity::find().order_by_asc(Column::Partition);
    let rows = rows.for_update().all(&tx).await?;
    let Some(partitions) = control.and_then(|control| wanted_now(&control, &rows)) else {
        return Ok(());
    };
    deal_in(&tx, &rows, partitions).await?;
    kill_point("deal");
    tx.commit().await?;
    kill_point("dealt");
    tracing::info!(
        partitions,
        before = rows.len(),
        "partitions were dealt anew"
    );
    Ok(())
}

/// How many partitions to deal now, if that can be done now.
fn wanted_now(control: &control::Model, rows: &[Model]) -> Option<i32> {
    let (wanted, block) = control.partitions_wanted.zip(control.deal_block)?;
    let at_one_block = rows.iter().all(|row| row.block == block);
    (at_one_block || fault::planted(Fault::DealtApart)).then_some(wanted)
}

async fn deal_in(tx: &DatabaseTransaction, rows: &[Model], partitions: i32) -> Result<()> {
    let Some(first) = rows.iter().max_by_key(|row| row.block) else {
        return Ok(());
    };
    let row = |partition| {
        Model {
            partition,
            owner: None,
            token: None,
            lease_until_ms: 0,
            stopped: None,
            ..first.clone()
        }
        .into_active_model()
    };
    Entity::delete_many().exec(tx).await?;
    Entity::insert_many((0..partitions).map(row))
        .exec_without_returning(tx)
        .await?;
    write_in(tx, partitions, None, None).await
}

/// Keeps everybody from applying blocks to the transaction's end.
async fn locked_in(tx: &DatabaseTransaction) -> Result<Option<control::Model>> {
    lock_out_sharers_in(tx, control::Entity).await?;
    let control = control::Entity::find_by_id(1).for_update();
    Ok(control.one(tx).await?)
}

async fn write_in(
    tx: &DatabaseTransaction,
    partitions: i32,
    wanted: Option<i32>,
    deal_block: Option<i64>,
) -> Result<()> {
    control::Entity::update_many()
        .col_expr(control::Column::Partitions, partitions.into())
        .col_expr(control::Column::PartitionsWanted, Expr::value(wanted))
        .col_expr(control::Column::DealBlock, Expr::value(deal_block))
        .filter(control::Column::Id.eq(1))
        .exec(tx)
        .await?;
    Ok(())
}
