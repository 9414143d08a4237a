//! Catching-up marks: the database went back, by a restore or a promoted standby,
//! and follows the ledger again. While a mark stands no command is taken and no
//! batch is formed.
//!
//! Whoever takes commands or forms batches shares the control row meanwhile. A mark
//! comes in its turn however many they are.

use sea_orm::{
    QueryFilter,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};

use super::entity::control::{Column, Entity};
use crate::{
    error::Result,
    store::{Lock, Store, lock_out_sharers_in},
};

/// Sets a mark, unless one stands.
///
/// # Errors
/// If the database fails.
pub async fn mark(store: &Store) -> Result<()> {
    let tx = store.begin().await?;
    lock_out_sharers_in(&tx, Entity).await?;
    let control = Entity::find_by_id(1).for_update().one(&tx).await?;
    if control.is_some_and(|control| !control.catching_up()) {
        Entity::update_many()
            .col_expr(Column::Mark, Expr::col(Column::Mark).add(1))
            .filter(Column::Id.eq(1))
            .exec(&tx)
            .await?;
        tx.commit().await?;
        tracing::error!("the database is behind what it knew: catching up with the ledger");
    }
    Ok(())
}

/// The mark that stands, if any.
///
/// # Errors
/// If the database fails.
pub async fn standing(store: &Store) -> Result<Option<i64>> {
    let control = Entity::find_by_id(1).one(store.read()).await?;
    Ok(control
        .filter(super::entity::control::Model::catching_up)
        .map(|control| control.mark))
}

/// Clears a mark by its number, once every partition has reached a height of the
/// ledger that was read after marking; a later mark stays.
///
/// # Errors
/// If the database fails.
pub async fn clear(store: &Store, mark: i64) -> Result<()> {
    let tx = store.begin().await?;
    lock_out_sharers_in(&tx, Entity).await?;
    Entity::update_many()
        .col_expr(Column::MarkCleared, mark.into())
        .filter(Column::Id.eq(1))
        .filter(Column::Mark.eq(mark))
        .exec(&tx)
        .await?;
    tx.commit().await?;
    tracing::info!(mark, "the database has caught up with the ledger");
    Ok(())
}
