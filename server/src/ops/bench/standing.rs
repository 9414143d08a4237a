//! Partitions that stand still while blocks gather: no projector may apply a block to a
//! partition that another process leases.

use std::time::Duration;

use anyhow::Context as _;
use sea_orm::{
    ColumnTrait as _, EntityTrait, PaginatorTrait as _, QueryFilter as _, sea_query::Expr,
};

use super::{POLL, SETTLED};
use crate::{
    checkpoint::{self, Column, Entity},
    clock::{Clock as _, SystemClock},
    config::Config,
    id, network,
    ops::reconcile::cursors,
    outbox::entity::{lane, row},
    store::Store,
};

/// Leases of all partitions.
#[derive(Debug)]
pub(super) struct Standing<'a> {
    store: &'a Store,
    owner: String,
}

impl<'a> Standing<'a> {
    /// Takes the leases for a time from whoever has them; what it was applying is not
    /// committed.
    ///
    /// # Errors
    /// If the database fails.
    pub(super) async fn take(store: &'a Store, time: Duration) -> anyhow::Result<Self> {
        let owner = format!("bench-{}", id::random_uuid().simple());
        let until_ms = SystemClock.now_ms() + i64::try_from(time.as_millis())?;
        Entity::update_many()
            .col_expr(Column::Owner, owner.as_str().into())
            .col_expr(Column::Token, id::random_uuid().into())
            .col_expr(Column::LeaseUntilMs, until_ms.into())
            .exec(store.write())
            .await?;
        Ok(Self { store, owner })
    }

    /// The block that the partition comes to next that is behind all others.
    ///
    /// # Errors
    /// If the database fails.
    pub(super) async fn next_block(&self) -> anyhow::Result<i64> {
        let rows = checkpoint::all(self.store.read()).await?;
        let lowest = rows.iter().map(|row| row.block).min();
        Ok(lowest.context("there are no partitions")? + 1)
    }

    /// Lets projectors go on, and waits until they have every partition again.
    ///
    /// # Errors
    /// If the database fails, or no projector comes.
    pub(super) async fn give_back(self) -> anyhow::Result<()> {
        Entity::update_many()
            .col_expr(Column::Token, Expr::value(None::<uuid::Uuid>))
            .col_expr(Column::LeaseUntilMs, 0.into())
            .filter(Column::Owner.eq(self.owner.as_str()))
            .exec(self.store.write())
            .await?;
        let taken = async {
            let mine = || Entity::find().filter(Column::Owner.eq(self.owner.as_str()));
            while mine().count(self.store.read()).await? > 0 {
                tokio::time::sleep(POLL).await;
            }
            anyhow::Ok(())
        };
        let taken = tokio::time::timeout(SETTLED, taken).await;
        taken.context("no projector takes the partitions")?
    }
}

/// Waits until the chain has everything that was accepted; its last block.
///
/// # Errors
/// If database or ledger fail, or no submitter carries it.
pub(super) async fn carried(config: &Config, store: &Store) -> anyhow::Result<i64> {
    let ledger = network::connect(config)?;
    let carried = async {
        loop {
            let waiting = row::Entity::find()
                .filter(row::Column::Number.is_null())
                .filter(row::Column::Voided.eq(false));
            if waiting.count(store.read()).await? == 0 {
                let lanes = lane::Entity::find().all(store.read()).await?;
                let chain = cursors(&ledger).await?;
                let has = |lane: &lane::Model| chain.get(&lane.name).copied().unwrap_or(0);
                if lanes.iter().all(|lane| has(lane) >= lane.formed_number) {
                    return anyhow::Ok(());
                }
            }
            tokio::time::sleep(POLL).await;
        }
    };
    let carried = tokio::time::timeout(SETTLED, carried).await;
    carried.context("commands are not carried to the chain in time")??;
    Ok(i64::try_from(gx_fabric::Ledger::height(&ledger).await?)? - 1)
}
