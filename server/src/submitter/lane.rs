//! One lane's worker: an explicit machine whose every `step` does one thing, so
//! that a scheduler may stop it between any two of them.

use std::time::Duration;

use gx_contract::lane::LaneName;
use gx_fabric::{Endorsed, LedgerError};
use sea_orm::{ActiveValue::Set, entity::prelude::*, sea_query::OnConflict};

use super::{
    Parts,
    backoff::Backoff,
    form::{self, Formed, Forming},
    recover::{self, Recovery},
    split::{self, Split},
    verdict::{self, Verdict},
};
use crate::{
    error::Result,
    fault::{kill_point, stop_point},
    outbox::{
        entity::{envelope, lane},
        lanes::{self, Cursor},
    },
    store::Front,
    telemetry::metrics::{LANE_BATCH_COMMANDS, LANE_BATCHES},
};

/// What a worker waits for before its next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing.
    Now,
    /// So much time.
    After(Duration),
    /// The read model's next move.
    Projected,
    /// Commands, or an operator.
    Idle,
    /// Another process has the lane.
    Elsewhere,
}

/// Where a worker stands.
#[derive(Debug)]
enum Stage {
    Unleased,
    Recovering,
    Forming {
        base: Cursor,
    },
    Endorsing {
        formed: Box<Formed>,
        faults: u32,
    },
    Probing {
        formed: Box<Formed>,
    },
    Storing {
        formed: Box<Formed>,
        endorsed: Endorsed,
    },
    Submitting {
        formed: Box<Formed>,
        endorsed: Endorsed,
    },
    Waiting {
        formed: Box<Formed>,
        endorsed: Endorsed,
    },
    InChain {
        formed: Box<Formed>,
    },
    Held,
}

/// A lane's worker.
#[derive(Debug)]
pub struct LaneWorker {
    parts: Parts,
    lane: LaneName,
    name: String,
    token: Uuid,
    stage: Stage,
    backoff: Backoff,
    /// Most commands of the next batch; smaller while a fault is narrowed down.
    limit: usize,
    /// The highest settled number that this process has seen.
    highest: i64,
    /// Where looks for commands begin.
    front: Front,
}

impl LaneWorker {
    /// A worker that has no lease yet; its looks for commands begin at the front.
    pub fn new(parts: Parts, lane: LaneName, front: Front) -> Self {
        let limit = parts.settings.batch_commands;
        Self {
            parts,
            lane,
            name: lane.to_string(),
            token: Uuid::nil(),
            stage: Stage::Unleased,
            backoff: Backoff::default(),
            limit,
            highest: 0,
            front,
        }
    }

    /// The lane.
    pub fn lane(&self) -> LaneName {
        self.lane
    }

    /// Where the worker stands, for people.
    pub fn stage(&self) -> &'static str {
        match self.stage {
            Stage::Unleased => "unleased",
            Stage::Recovering => "recovering",
            Stage::Forming { .. } => "forming",
            Stage::Endorsing { .. } => "endorsing",
            Stage::Probing { .. } => "probing",
            Stage::Storing { .. } => "storing",
            Stage::Submitting { .. } => "submitting",
            Stage::Waiting { .. } => "waiting",
            Stage::InChain { .. } => "in chain",
            Stage::Held => "held",
        }
    }

    /// Prolongs the lease; without one the worker begins again.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn renew(&mut self) -> Result<()> {
        let until_ms = self.parts.clock.now_ms() + self.parts.settings.lease_ms;
        if matches!(self.stage, Stage::Unleased) {
            return Ok(());
        }
        if lanes::renew(&self.parts.store, &self.name, self.token, until_ms).await? {
            kill_point("renewed");
        } else {
            tracing::info!(lane = self.name, "the lane is another's");
            self.stage = Stage::Unleased;
        }
        Ok(())
    }

    /// Does one thing and tells what to wait for.
    ///
    /// # Errors
    /// If the database fails; what the failed transaction did is then unknown, so
    /// the worker recovers.
    pub async fn step(&mut self) -> Result<Next> {
        let stage = std::mem::replace(&mut self.stage, Stage::Recovering);
        match stage {
            Stage::Unleased => self.lease().await,
            Stage::Recovering => self.recover().await,
            Stage::Forming { base } => self.form(base).await,
            Stage::Endorsing { formed, faults } => self.endorse(formed, faults).await,
            Stage::Probing { formed } => self.probe(formed).await,
            Stage::Storing { formed, endorsed } => self.store(formed, endorsed).await,
            Stage::Submitting { formed, endorsed } => self.submit(formed, endorsed).await,
            Stage::Waiting { formed, endorsed } => self.wait(formed, endorsed).await,
            Stage::InChain { formed } => self.in_chain(formed).await,
            Stage::Held => self.held().await,
        }
    }

    fn go(&mut self, stage: Stage, next: Next) -> Result<Next> {
        self.stage = stage;
        Ok(next)
    }

    async fn lease(&mut self) -> Result<Next> {
        self.stage = Stage::Unleased;
        let Parts {
            store,
            clock,
            settings,
            owner,
            ..
        } = &self.parts;
        let lease = lanes::lease(store, &self.name, owner, clock.now_ms(), settings.lease_ms);
        let Some(token) = lease.await? else {
            return Ok(Next::Elsewhere);
        };
        kill_point("leased");
        self.token = token;
        self.go(Stage::Recovering, Next::Now)
    }

    async fn recover(&mut self) -> Result<Next> {
        match recover::recover(&self.parts, self.lane, self.token, &mut self.highest).await? {
            Recovery::Ready(base) => {
                self.front.begin_anew();
                self.go(Stage::Forming { base }, Next::Now)
            }
            Recovery::Forked => self.hold("the ledger has another past".to_owned()).await,
            Recovery::Behind => self.go(Stage::Recovering, Next::Projected),
            Recovery::NoAnswer => {
                let wait = self.backoff.next();
                self.go(Stage::Recovering, Next::After(wait))
            }
            Recovery::Lost => self.go(Stage::Unleased, Next::Elsewhere),
        }
    }

    async fn form(&mut self, base: Cursor) -> Result<Next> {
        let Self {
            parts, lane, token, ..
        } = &*self;
        match form::form(parts, *lane, *token, base, self.limit, &self.front).await? {
            Forming::Batch(formed) => {
                kill_point("numbers");
                metrics::histogram!(LANE_BATCH_COMMANDS).record(formed.ids.len() as f64);
                self.go(Stage::Endorsing { formed, faults: 0 }, Next::Now)
            }
            Forming::Nothing => self.go(Stage::Forming { base }, Next::Idle),
            Forming::Behind => self.go(Stage::Forming { base }, Next::Projected),
            Forming::CatchingUp => self.go(Stage::Recovering, Next::Projected),
            Forming::Elsewhere => self.go(Stage::Unleased, Next::Now),
        }
    }

    async fn endorse(&mut self, formed: Box<Formed>, faults: u32) -> Result<Next> {
        stop_point("endorsing").await;
        match self.parts.ledger.endorse(&formed.batch).await {
            Ok(endorsed) => {
                kill_point("endorsed");
                self.go(Stage::Storing { formed, endorsed }, Next::Now)
            }
            Err(error) => {
                let verdict = verdict::endorsing(&error, &formed);
                self.failed(&error, &verdict);
                match verdict {
                    Verdict::OwnFault if faults == 0 => {
                        self.go(Stage::Probing { formed }, Next::Now)
                    }
                    Verdict::OwnFault => self.split(&formed).await,
                    verdict => self.conclude(verdict, formed, None).await,
                }
            }
        }
    }

    /// Asks whether the chaincode runs at all, with a batch that is never sent. The
    /// contract may refuse it as it may refuse any batch: the lane has moved, say.
    async fn probe(&mut self, formed: Box<Formed>) -> Result<Next> {
        match self.parts.ledger.endorse(&split::probe(&formed)).await {
            Ok(_) => self.go(Stage::Endorsing { formed, faults: 1 }, Next::Now),
            Err(error) => {
                let verdict = verdict::endorsing(&error, &formed);
                self.failed(&error, &verdict);
                self.conclude(verdict, formed, None).await
            }
        }
    }

    async fn split(&mut self, formed: &Formed) -> Result<Next> {
        let split = split::split(&self.parts, &self.name, self.token, formed).await?;
        self.front.begin_anew();
        match split {
            Split::Half { limit } => {
                self.limit = limit;
                self.go(Stage::Forming { base: formed.base }, Next::Now)
            }
            Split::Voided => self.go(Stage::Forming { base: formed.base }, Next::Now),
            Split::Lost => self.go(Stage::Unleased, Next::Now),
            Split::Exhausted => {
                self.hold("a second command in a row cannot be endorsed".to_owned())
                    .await
            }
        }
    }

    /// Stores the envelope before it is sent.
    async fn store(&mut self, formed: Box<Formed>, endorsed: Endorsed) -> Result<Next> {
        stop_point("storing").await;
        let now_ms = self.parts.clock.now_ms();
        let tx = self.parts.store.begin().await?;
        if lanes::lock_in(&tx, &self.name, self.token).await?.is_none() {
            tracing::info!(lane = self.name, "the lane is another's");
            return self.go(Stage::Unleased, Next::Now);
        }
        let row = envelope::ActiveModel {
            lane: Set(self.name.clone()),
            fabric_tx_id: Set(endorsed.tx_id.clone()),
            end_number: Set(formed.end.number),
            end_digest: Set(formed.end.digest.to_vec()),
            envelope: Set(endorsed.envelope.to_vec()),
            created_ms: Set(now_ms),
        };
        let key = [envelope::Column::Lane, envelope::Column::FabricTxId];
        envelope::Entity::insert(row)
            .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
            .exec_without_returning(&tx)
            .await?;
        form::submitted_in(&tx, &formed.ids, now_ms).await?;
        tx.commit().await?;
        kill_point("envelope");
        self.go(Stage::Submitting { formed, endorsed }, Next::Now)
    }

    async fn submit(&mut self, formed: Box<Formed>, endorsed: Endorsed) -> Result<Next> {
        match self.parts.ledger.submit(&endorsed.envelope).await {
            Ok(()) => {
                kill_point("submitted");
                self.go(Stage::Waiting { formed, endorsed }, Next::Now)
            }
            // Endorsed well, and never to be ordered: halving is all that helps.
            Err(error @ LedgerError::TooLarge { .. }) => {
                self.failed(&error, &Verdict::OwnFault);
                self.split(&formed).await
            }
            Err(error) => {
                let verdict = verdict::submitting(&error);
                self.failed(&error, &verdict);
                self.conclude(verdict, formed, Some(endorsed)).await
            }
        }
    }

    async fn wait(&mut self, formed: Box<Formed>, endorsed: Endorsed) -> Result<Next> {
        if let Some(own) = self.settled(&formed).await? {
            return match own {
                true => self.valid(&formed).await,
                false => self.go(Stage::Recovering, Next::Now),
            };
        }
        let timeout = Duration::from_millis(self.parts.settings.status_ms);
        match self
            .parts
            .ledger
            .commit_status(&endorsed.tx_id, timeout)
            .await
        {
            Ok(status) => match verdict::flagged(status.flag) {
                None => self.valid(&formed).await,
                Some(verdict) => {
                    tracing::info!(lane = self.name, flag = status.flag.0, "batch is invalid");
                    self.conclude(verdict, formed, Some(endorsed)).await
                }
            },
            // Not in a block yet, or never ordered: the same envelope again. Where nobody
            // tells, it would be sent as fast as nobody can be asked.
            Err(error) => {
                let wait = match error {
                    LedgerError::Timeout => Backoff::race(),
                    _ => self.backoff.next(),
                };
                self.go(Stage::Submitting { formed, endorsed }, Next::After(wait))
            }
        }
    }

    async fn in_chain(&mut self, formed: Box<Formed>) -> Result<Next> {
        if let Some(own) = self.settled(&formed).await? {
            return match own {
                true => self.valid(&formed).await,
                false => self.go(Stage::Recovering, Next::Now),
            };
        }
        self.go(Stage::InChain { formed }, Next::Projected)
    }

    async fn held(&mut self) -> Result<Next> {
        let row = lane::Entity::find_by_id(self.name.clone())
            .one(self.parts.store.read())
            .await?;
        match row.and_then(|row| row.held_reason) {
            Some(_) => self.go(Stage::Held, Next::Idle),
            None => self.go(Stage::Recovering, Next::Now),
        }
    }

    /// Whether the settled cursor is the batch's end: then it is in the chain, whatever
    /// the ledger answers. `None` before it has come so far; `false` if it came there by
    /// another batch, as after the database went back below a worker.
    async fn settled(&self, formed: &Formed) -> Result<Option<bool>> {
        let row = lane::Entity::find_by_id(self.name.clone())
            .one(self.parts.store.read())
            .await?;
        let settled = row.map(|row| row.settled());
        let reached = settled.filter(|settled| settled.number >= formed.end.number);
        Ok(reached.map(|settled| settled == formed.end))
    }

    /// The batch took effect.
    async fn valid(&mut self, formed: &Formed) -> Result<Next> {
        kill_point("valid");
        metrics::counter!(LANE_BATCHES, "outcome" => "valid").increment(1);
        self.backoff.reset();
        self.limit = self.parts.settings.batch_commands;
        if !formed.voids_only {
            split::recovered(&self.parts, &self.name, self.token).await?;
        }
        self.go(Stage::Forming { base: formed.end }, Next::Now)
    }

    /// Does what a verdict says; `endorsed` is the envelope that it is about.
    async fn conclude(
        &mut self,
        verdict: Verdict,
        formed: Box<Formed>,
        endorsed: Option<Endorsed>,
    ) -> Result<Next> {
        let class = verdict.class();
        match (verdict, endorsed) {
            (Verdict::Unknown, Some(endorsed)) => {
                let wait = self.retry_later(&formed, class).await?;
                self.go(Stage::Waiting { formed, endorsed }, Next::After(wait))
            }
            (Verdict::Dead { at_once: true }, _) => {
                let wait = Backoff::race();
                self.go(Stage::Endorsing { formed, faults: 0 }, Next::After(wait))
            }
            (Verdict::InChain, _) => self.go(Stage::InChain { formed }, Next::Projected),
            (Verdict::Recover { limit }, _) => {
                self.limit = limit.unwrap_or(self.limit).max(1);
                let wait = self.retry_later(&formed, class).await?;
                self.go(Stage::Recovering, Next::After(wait))
            }
            (Verdict::Hold(reason), _) => self.hold(reason).await,
            (Verdict::Again | Verdict::Dead { .. } | Verdict::Unknown | Verdict::OwnFault, _) => {
                let wait = self.retry_later(&formed, class).await?;
                self.go(Stage::Endorsing { formed, faults: 0 }, Next::After(wait))
            }
        }
    }

    /// Counts a failure and says in the outbox when the batch is tried again.
    async fn retry_later(&mut self, formed: &Formed, class: &'static str) -> Result<Duration> {
        let wait = self.backoff.next();
        let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        let next_ms = self.parts.clock.now_ms().saturating_add(wait_ms);
        form::failed(&self.parts, &formed.ids, class, next_ms).await?;
        Ok(wait)
    }

    async fn hold(&mut self, reason: String) -> Result<Next> {
        tracing::error!(lane = self.name, reason, "lane holds");
        recover::hold(&self.parts, &self.name, self.token, reason).await?;
        self.go(Stage::Held, Next::Idle)
    }

    fn failed(&self, error: &LedgerError, verdict: &Verdict) {
        metrics::counter!(LANE_BATCHES, "outcome" => "failed").increment(1);
        tracing::warn!(lane = self.name, %error, ?verdict, "batch failed");
    }
}
