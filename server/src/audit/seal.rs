//! The sealer: gives committed lines their places in the chain. Lines commit in
//! another order than that of their ids, so a place is given to what is committed
//! and has none, whatever its id.

use std::time::Duration;

use metrics::gauge;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait,
    IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Select, Set,
    sea_query::{Expr, ExprTrait, Query},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    chain,
    entity::{line, seal},
};
use crate::{
    clock::SharedClock,
    error::Result,
    fault::kill_point,
    id,
    store::{
        Front, Lock, Store,
        bulk::{self, FIRST, FOURTH, GIVEN, SECOND, THIRD},
    },
    telemetry::metrics::AUDIT_SEAL_LAG,
};

/// How often the sealer looks.
const EVERY: Duration = Duration::from_secs(1);

/// How long the lease holds without renewal.
const LEASE_MS: i64 = 10_000;

/// Lines sealed in one transaction.
const BATCH: u64 = 500;

/// Seals while it holds the lease; every process may have one.
#[derive(Debug)]
pub struct Sealer {
    store: Store,
    clock: SharedClock,
    owner: String,
    token: Uuid,
    front: Front,
}

impl Sealer {
    /// A sealer of the process `owner`.
    pub fn new(store: Store, clock: SharedClock, owner: impl Into<String>) -> Self {
        Self {
            store,
            clock,
            owner: owner.into(),
            token: id::random_uuid(),
            front: Front::default(),
        }
    }

    /// Seals a batch of committed lines in one transaction. Answers how many, or
    /// `None` if another process holds the lease.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn step(&self) -> Result<Option<u64>> {
        let Some(oldest) = self.oldest().await? else {
            return Ok(Some(0));
        };
        let tx = self.store.begin().await?;
        let Some(mut head) = self.hold_in(&tx).await? else {
            return Ok(None);
        };
        let lines = unsealed(oldest.id - 1).limit(BATCH).all(&tx).await?;
        let sealed = lines.len() as u64;
        seal_in(&tx, &mut head, lines).await?;
        self.renew_in(&tx, head).await?;
        kill_point("seal");
        tx.commit().await?;
        Ok(Some(sealed))
    }

    /// Seals every second until the shutdown, and once more then.
    pub async fn run(self, shutdown: CancellationToken) {
        let sealing = async {
            let mut ticks = tokio::time::interval(EVERY);
            while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
                self.seal_all().await;
            }
            self.seal_all().await;
        };
        // Beside it: sealing that waits or fails is what the lag is to show.
        let telling = async {
            let mut ticks = tokio::time::interval(EVERY);
            while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
                self.tell_lag().await;
            }
        };
        tokio::join!(sealing, telling);
    }

    async fn seal_all(&self) {
        let sealed = async {
            while self.step().await? == Some(BATCH) {}
            Ok::<(), crate::error::Error>(())
        };
        if let Err(error) = sealed.await {
            tracing::error!(error = %error, "the audit log could not be sealed");
        }
    }

    async fn tell_lag(&self) {
        match self.lag_ms().await {
            Ok(lag_ms) => gauge!(AUDIT_SEAL_LAG).set(lag_ms as f64 / 1_000.0),
            Err(error) => tracing::error!(%error, "the audit log could not be looked at"),
        }
    }

    /// Age of the oldest line that is not sealed.
    async fn lag_ms(&self) -> Result<i64> {
        let oldest = self.oldest().await?;
        Ok(oldest.map_or(0, |line| Ord::max(self.clock.now_ms() - line.at_ms, 0)))
    }

    /// The oldest line that is not sealed.
    async fn oldest(&self) -> Result<Option<line::Model>> {
        let now_ms = self.clock.now_ms();
        let behind = self.front.behind(now_ms);
        let oldest = unsealed(behind).one(self.store.read()).await?;
        if let Some(line) = &oldest {
            self.front.found(line.id, now_ms);
        }
        Ok(oldest)
    }

    /// The head of the chain, locked, unless another process holds the lease.
    async fn hold_in(&self, tx: &DatabaseTransaction) -> Result<Option<seal::Model>> {
        let head = seal::Entity::find_by_id(seal::ID)
            .for_update()
            .one(tx)
            .await?;
        let head = head.ok_or_else(|| anyhow::anyhow!("the audit log's chain has no head"))?;
        let ours = head.token == Some(self.token);
        Ok((ours || head.lease_until_ms <= self.clock.now_ms()).then_some(head))
    }

    async fn renew_in(&self, tx: &DatabaseTransaction, head: seal::Model) -> Result<()> {
        let mut renewed = head.into_active_model().reset_all();
        renewed.owner = Set(Some(self.owner.clone()));
        renewed.token = Set(Some(self.token));
        renewed.lease_until_ms = Set(self.clock.now_ms() + LEASE_MS);
        renewed.update(tx).await?;
        Ok(())
    }
}

/// Lines without a place, in the order of their ids, after one of these.
fn unsealed(behind: i64) -> Select<line::Entity> {
    line::Entity::find()
        .filter(line::Column::Sequence.is_null())
        .filter(line::Column::Id.gt(behind))
        .order_by_asc(line::Column::Id)
}

/// Makes the chain longer by `lines`, and moves its head.
async fn seal_in(
    tx: &DatabaseTransaction,
    head: &mut seal::Model,
    lines: Vec<line::Model>,
) -> Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let mut places = Vec::with_capacity(lines.len());
    for line in lines {
        head.sequence += 1;
        let hash = chain::hash(&head.hash, head.sequence, &line);
        let previous = std::mem::replace(&mut head.hash, hash.clone());
        places.push((line.id, head.sequence, previous, hash));
    }
    let ids: Vec<_> = places.iter().map(|(id, ..)| *id).collect();
    let given = |column| Expr::col((GIVEN, column));
    let update = Query::update()
        .table(line::Entity)
        .from(bulk::values(tx, places))
        .value(line::Column::Sequence, given(SECOND))
        .value(line::Column::PreviousHash, given(THIRD))
        .value(line::Column::Hash, given(FOURTH))
        .and_where(Expr::col((line::Entity, line::Column::Id)).equals((GIVEN, FIRST)))
        // Says nothing more, but that the lines are found by their index.
        .and_where(bulk::among(tx, line::Column::Id, ids))
        .to_owned();
    tx.execute(&update).await?;
    Ok(())
}
