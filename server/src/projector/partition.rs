//! One partition: its lease, its checkpoint, and the transaction in which a group
//! of blocks becomes rows.

use gx_fabric::Block;
use sea_orm::{
    ActiveValue::Set,
    DatabaseTransaction, IntoActiveModel, QueryFilter,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};

use super::{
    Parts, apply,
    facts::{Facts, Scope},
};
use crate::{
    checkpoint::{Column, Entity, Model},
    error::{Error, Result},
    fault::{self, Fault, kill_point, stop_point},
    id,
    outbox::{catching_up, entity::control},
    store::{Lock, is_misfit},
    telemetry::metrics::PROJECTOR_BLOCKS,
};

/// What applying came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// The blocks are applied.
    Yes,
    /// The lease is lost, the checkpoint is not the blocks' predecessor, or blocks are
    /// left for when partitions are dealt anew: look again.
    Elsewhere,
    /// An event cannot be read; the partition stands until it can.
    Stopped(String),
}

/// One partition's worker.
#[derive(Debug)]
pub struct Partition {
    parts: Parts,
    scope: Scope,
    token: Uuid,
    /// The highest checkpoint that this process has seen.
    highest: i64,
    /// The block at which all partitions stop to be dealt anew, as of the lease.
    deal_block: Option<i64>,
    /// Whether what becomes of operations is written.
    outcomes: bool,
}

impl Partition {
    /// A worker that has no lease yet, for one of so many partitions.
    pub fn new(parts: Parts, partition: i32, partitions: i32) -> Self {
        let scope = Scope {
            topology: parts.topology,
            partition,
            partitions,
            msp_id: parts.msp_id.clone(),
        };
        Self {
            parts,
            scope,
            token: Uuid::nil(),
            highest: -1,
            deal_block: None,
            outcomes: true,
        }
    }

    /// Writes no outcomes, where operations are not what the rows are made for.
    #[must_use]
    pub fn without_outcomes(mut self) -> Self {
        self.outcomes = false;
        self
    }

    /// Remembers a checkpoint that this process saw before partitions were dealt anew:
    /// none of them is below it then.
    #[must_use]
    pub fn having_seen(mut self, highest: i64) -> Self {
        self.highest = highest;
        self
    }

    /// The highest checkpoint that this process has seen; -1 if none.
    pub fn highest(&self) -> i64 {
        self.highest
    }

    /// The partition's number.
    pub fn number(&self) -> i32 {
        self.scope.partition
    }

    /// Takes or renews the lease and answers the number of the next block; `None`
    /// if another process has the partition, or there is another number of them.
    ///
    /// A checkpoint below one that this process saw before means that the database
    /// went back: that is marked.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn lease(&mut self) -> Result<Option<u64>> {
        let now_ms = self.parts.clock.now_ms();
        let tx = self.parts.store.begin().await?;
        let control = control::Entity::find_by_id(1).for_share().one(&tx).await?;
        let own = control.filter(|control| control.partitions == self.scope.partitions);
        let Some(control) = own else { return Ok(None) };
        let row = Entity::find_by_id(self.scope.partition)
            .for_update_skip_locked()
            .one(&tx)
            .await?;
        let mine = row.filter(|row| {
            row.token.is_none()
                || row.lease_until_ms <= now_ms
                || row.owner.as_deref() == Some(self.parts.owner.as_str())
        });
        let Some(row) = mine else { return Ok(None) };
        let block = row.block;
        self.token = id::random_uuid();
        self.deal_block = control.deal_block;
        let mut row = row.into_active_model();
        row.owner = Set(Some(self.parts.owner.clone()));
        row.token = Set(Some(self.token));
        row.lease_until_ms = Set(now_ms + self.parts.settings.lease_ms);
        row.update(&tx).await?;
        tx.commit().await?;
        kill_point("partition");
        if block < self.highest {
            catching_up::mark(&self.parts.store).await?;
        }
        self.highest = block;
        Ok(Some(u64::try_from(block + 1).unwrap_or(0)))
    }

    /// Prolongs the lease; `false` if it is lost, or if the checkpoint is not where
    /// this process left it: the database may have gone back below a lease.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn renew(&self) -> Result<bool> {
        let until_ms = self.parts.clock.now_ms() + self.parts.settings.lease_ms;
        let renewed = Entity::update_many()
            .col_expr(Column::LeaseUntilMs, until_ms.into())
            .filter(Column::Partition.eq(self.scope.partition))
            .filter(Column::Token.eq(self.token))
            .filter(Column::Block.eq(self.highest))
            .exec(self.parts.store.write())
            .await?;
        Ok(renewed.rows_affected == 1)
    }

    /// Applies a group of consecutive blocks in one transaction, but none beyond the
    /// block at which partitions are dealt anew.
    ///
    /// # Errors
    /// If the database fails; nothing of the group is applied then.
    pub async fn apply(&mut self, blocks: &[Block]) -> Result<Applied> {
        let until = blocks.partition_point(|block| may_pass(block, self.deal_block));
        let (blocks, left) = blocks.split_at(until);
        let applied = match blocks {
            [] => Applied::Yes,
            [first, ..] => self.apply_all(blocks, first).await?,
        };
        if applied == Applied::Yes && !left.is_empty() {
            return Ok(Applied::Elsewhere);
        }
        Ok(applied)
    }

    async fn apply_all(&mut self, blocks: &[Block], first: &Block) -> Result<Applied> {
        let last = blocks.last().unwrap_or(first);
        kill_point("block");
        let mut facts = Facts::default();
        for block in blocks {
            if let Err(error) = facts.gather(&self.scope, block) {
                return self.stop(format!("{error:#}")).await;
            }
        }
        if !self.outcomes {
            facts.settled.clear();
        }
        stop_point("applying").await;
        let tx = self.parts.store.begin().await?;
        if !self.advance_in(&tx, first, last).await? {
            tracing::info!(
                partition = self.scope.partition,
                "the partition is another's"
            );
            return Ok(Applied::Elsewhere);
        }
        if fault::planted(Fault::CheckpointApart) {
            tx.commit().await?;
            return self.apply_apart(&facts, last.number).await;
        }
        if let Err(error) =
            apply::apply_in(&tx, &facts, self.scope.partition, self.parts.clock.now_ms()).await
        {
            tx.rollback().await?;
            return self.failed(error).await;
        }
        kill_point("projection");
        tx.commit().await?;
        kill_point("projected");
        self.highest = i64::try_from(last.number).unwrap_or(i64::MAX);
        metrics::counter!(PROJECTOR_BLOCKS).increment(blocks.len() as u64);
        self.parts.wake.moved();
        Ok(Applied::Yes)
    }

    /// The planted fault: rows in another transaction than the checkpoint.
    async fn apply_apart(&self, facts: &Facts, block: u64) -> Result<Applied> {
        // The crash between the two, once in a while.
        if block % 4 == 3 {
            return Ok(Applied::Yes);
        }
        let tx = self.parts.store.begin().await?;
        apply::apply_in(&tx, facts, self.scope.partition, self.parts.clock.now_ms()).await?;
        tx.commit().await?;
        Ok(Applied::Yes)
    }

    /// Moves the checkpoint, which is the transaction's first statement but for the
    /// control row: it succeeds only for the lease's holder and the chain's next
    /// block, and while partitions are as the facts were gathered for.
    async fn advance_in(
        &self,
        tx: &DatabaseTransaction,
        first: &Block,
        last: &Block,
    ) -> Result<bool> {
        let control = control::Entity::find_by_id(1).for_share().one(tx).await?;
        let as_before = control.is_some_and(|control| {
            control.partitions == self.scope.partitions && may_pass(last, control.deal_block)
        });
        if !as_before {
            return Ok(false);
        }
        let before = i64::try_from(first.number).map_err(anyhow::Error::from)? - 1;
        let block = i64::try_from(last.number).map_err(anyhow::Error::from)?;
        let lease_until_ms = self.parts.clock.now_ms() + self.parts.settings.lease_ms;
        let moved = Entity::update_many()
            .col_expr(Column::Block, block.into())
            .col_expr(Column::Hash, last.hash.to_vec().into())
            .col_expr(Column::BlockTimeMs, last.time_ms.into())
            .col_expr(Column::Stopped, Expr::value(None::<String>))
            .col_expr(Column::LeaseUntilMs, lease_until_ms.into())
            .filter(Column::Partition.eq(self.scope.partition))
            .filter(Column::Token.eq(self.token))
            .filter(Column::Block.eq(before))
            .filter(Column::Hash.eq(first.previous_hash.to_vec()))
            .exec(tx)
            .await?;
        Ok(moved.rows_affected == 1)
    }

    /// A database that fails is tried again; facts that do not fit the rows stop
    /// the partition, for nothing may be skipped.
    async fn failed(&self, error: Error) -> Result<Applied> {
        match error {
            Error::Internal(error) => self.stop(format!("{error:#}")).await,
            Error::Database(error) if is_misfit(&error) => self.stop(error.to_string()).await,
            error => Err(error),
        }
    }

    /// Says why it stopped; once, though it is tried again.
    async fn stop(&self, reason: String) -> Result<Applied> {
        let is_other = Column::Stopped.ne(reason.as_str());
        let stopped = Entity::update_many()
            .col_expr(Column::Stopped, reason.clone().into())
            .filter(Column::Partition.eq(self.scope.partition))
            .filter(Column::Token.eq(self.token))
            .filter(Column::Stopped.is_null().or(is_other))
            .exec(self.parts.store.write())
            .await?;
        if stopped.rows_affected > 0 {
            let partition = self.scope.partition;
            tracing::error!(partition, reason, "partition stopped");
        }
        Ok(Applied::Stopped(reason))
    }
}

/// Whether a block is not beyond the one at which partitions are dealt anew.
fn may_pass(block: &Block, deal_block: Option<i64>) -> bool {
    deal_block.is_none_or(|end| i64::try_from(block.number).is_ok_and(|number| number <= end))
}

/// Makes the rows of partitions that have none.
///
/// # Errors
/// If the database fails.
pub async fn create_in(tx: &DatabaseTransaction, partitions: i32) -> Result<()> {
    let rows = (0..partitions).map(|partition| {
        Model {
            partition,
            owner: None,
            token: None,
            lease_until_ms: 0,
            block: -1,
            hash: vec![0; 32],
            block_time_ms: 0,
            height: 0,
            stopped: None,
        }
        .into_active_model()
    });
    Entity::insert_many(rows)
        .on_conflict(
            sea_orm::sea_query::OnConflict::column(Column::Partition)
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
