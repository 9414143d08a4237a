//! Catching-up marks: the database went back, by a restore or a promoted standby,
//! and follows the ledger again. While a mark stands no command is taken and no
//! batch is formed.
//!
//! Whoever takes commands or forms batches shares the control row meanwhile. A mark
//! comes in its turn however many they are.

use std::time::Duration;

use sea_orm::{
    DatabaseTransaction, QueryFilter,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};
use tokio_util::sync::CancellationToken;

use super::entity::control::{Column, Entity};
use crate::{
    error::Result,
    fault::kill_point,
    store::{Lock, Store, lock_out_sharers_in},
    telemetry::{Readiness, State},
};

/// What readiness calls the taking of commands.
const PART: &str = "commands";

/// Sets a mark, unless one stands.
///
/// # Errors
/// If the database fails.
pub async fn mark(store: &Store) -> Result<()> {
    let tx = store.begin().await?;
    if mark_in(&tx).await? {
        tx.commit().await?;
        kill_point("marked");
        tracing::error!("the database is behind what it knew: catching up with the ledger");
    }
    Ok(())
}

/// Sets a mark, unless one stands, and answers whether it did. Called before the
/// transaction has locked anything.
///
/// # Errors
/// If the database fails.
pub async fn mark_in(tx: &DatabaseTransaction) -> Result<bool> {
    lock_out_sharers_in(tx, Entity).await?;
    let control = Entity::find_by_id(1).for_update().one(tx).await?;
    let marks = control.is_some_and(|control| !control.catching_up());
    if marks {
        Entity::update_many()
            .col_expr(Column::Mark, Expr::col(Column::Mark).add(1))
            .filter(Column::Id.eq(1))
            .exec(tx)
            .await?;
    }
    Ok(marks)
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
    kill_point("cleared");
    tracing::info!(mark, "the database has caught up with the ledger");
    Ok(())
}

/// Shows in readiness whether a mark stands, until shutdown.
pub async fn watch(
    store: Store,
    readiness: Readiness,
    every: Duration,
    shutdown: CancellationToken,
) {
    while !shutdown.is_cancelled() {
        // A database that does not answer shows by itself.
        if let Ok(standing) = standing(&store).await {
            let state = match standing {
                None => State::Ready,
                Some(_) => State::Degraded(
                    "not taken until the database has caught up with the ledger".to_owned(),
                ),
            };
            readiness.set(PART, state);
        }
        let slept = tokio::time::sleep(every);
        shutdown.run_until_cancelled(slept).await;
    }
}
