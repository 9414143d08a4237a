//! Who acts, and what goes wrong.

use futures::{FutureExt, StreamExt};
use gx_contract::lane::of_account;
use gx_fabric::LedgerError;
use gx_fabric::devnet::EndorserFault;
use gx_proto::gx::{
    contract::v1::{Transfer, command::Body},
    operation::v1::{OperationState, OperationType},
};
use gx_server::{
    checkpoint,
    outbox::{
        Acceptance, Submission,
        entity::{control, envelope, lane, row},
    },
    projector::{self, Applied, deal},
    submitter::Next,
};
use sea_orm::{QueryFilter, entity::prelude::*, sea_query::Expr};

use super::{
    image,
    world::{Follower, PARTNER_LANES, POISON, Sent, World, accounts, submission},
};

/// Steps of the disturbed phase: many short lives find more in the same time than few
/// long ones.
const STEPS: usize = 50;
/// Numbers of partitions that an operator asks for.
const DEALS: [i32; 4] = [1, 2, 4, 8];
/// Rounds in which a quiet world must come to rest.
const ROUNDS: usize = 400;

impl World {
    /// Everybody acts, and everything goes wrong.
    pub(super) async fn disturbed(&mut self) -> Result<(), String> {
        for _ in 0..STEPS {
            let by_ms = i64::try_from(self.below(400)).unwrap();
            self.clock.advance_ms(by_ms);
            match self.below(100) {
                0..16 => self.client().await?,
                16..26 => self.cut(),
                26..58 => self.submit().await?,
                58..60 => self.deal().await?,
                60..84 => self.project().await?,
                84..86 => self.network().await,
                86..89 => self.endorsers(),
                89 => self.crash(),
                90..93 => self.jump(),
                93 => self.operator().await,
                94 => {
                    let process = self.below(2);
                    self.housekeep(process).await?;
                }
                _ => self.database().await,
            }
        }
        Ok(())
    }

    /// Nothing goes wrong any more: the world must come to rest.
    pub(super) async fn quiet(&mut self) -> Result<(), String> {
        self.core
            .faults(|faults| *faults = gx_fabric::devnet::Faults::default());
        // One process outlives the other, whose leases end.
        self.clock.advance_ms(30_000);
        let mut answered = false;
        for _ in 0..ROUNDS {
            self.clock.advance_ms(3_000);
            if !answered {
                answered = self.retry_everything().await?;
            }
            for worker in 0..self.processes[0].workers.len() {
                self.submit_with(0, worker, 12).await?;
            }
            self.cut();
            for follower in 0..self.processes[0].followers.len() {
                self.project_with(0, follower).await?;
            }
            self.housekeep(0).await?;
            self.operator().await;
            if answered && self.at_rest().await {
                return self.days_later().await;
            }
        }
        Err(format!(
            "the world does not come to rest: {}",
            self.unrest().await
        ))
    }

    /// Whatever is asked again is answered, and nothing begins anew.
    async fn days_later(&mut self) -> Result<(), String> {
        match self.retry_everything().await? && self.at_rest().await {
            true => Ok(()),
            false => Err(format!("a retry begins anew: {}", self.unrest().await)),
        }
    }

    async fn at_rest(&self) -> bool {
        let height = i64::try_from(self.core.height()).unwrap();
        let behind = checkpoint::all(self.store.read())
            .await
            .unwrap()
            .iter()
            .any(|row| row.block + 1 != height);
        let waits = row::Entity::find()
            .filter(row::Column::Voided.eq(false))
            .count(self.store.read())
            .await
            .unwrap();
        let control = control::Entity::find_by_id(1)
            .one(self.store.read())
            .await
            .unwrap()
            .unwrap();
        let settled = !control.catching_up() && control.partitions_wanted.is_none();
        !behind && waits == 0 && self.core.pending() == 0 && settled
    }

    async fn unrest(&self) -> String {
        let db = self.store.read();
        let mut text = format!(
            "height {} pending {}",
            self.core.height(),
            self.core.pending()
        );
        let unsettled = row::Entity::find().filter(row::Column::Voided.eq(false));
        for row in unsettled.all(db).await.unwrap() {
            let row::Model {
                position,
                lane,
                number,
                abandoned,
                attempts,
                error_class,
                ..
            } = row;
            text +=
                &format!("\n{lane} {position} {number:?} {abandoned} {attempts} {error_class:?}");
        }
        for lane in lane::Entity::find().all(db).await.unwrap() {
            let (formed, settled) = (lane.formed(), lane.settled());
            let held = lane.held_reason;
            text += &format!(
                "\n{} {formed:?} {settled:?} {:?} {held:?}",
                lane.name, lane.owner
            );
        }
        for (lane, worker) in &self.processes[0].workers {
            text += &format!("\nworker {lane} {}", worker.stage());
        }
        for row in checkpoint::all(db).await.unwrap() {
            text += &format!(
                "\npartition {} at {} {:?}",
                row.partition, row.block, row.stopped
            );
        }
        text
    }

    /// A client sends a transfer, or sends old ones again, some of them twice in one
    /// fold.
    async fn client(&mut self) -> Result<(), String> {
        let mut fold = Vec::new();
        for _ in 0..=self.below(3) {
            let sent = if self.sent.is_empty() || self.chance(70) {
                let submission = self.transfer();
                self.sent.push(Sent {
                    submission,
                    accepted: false,
                });
                self.sent.len() - 1
            } else {
                self.below(self.sent.len())
            };
            fold.push(sent);
        }
        self.send(&fold).await.map(|_| ())
    }

    /// Sends commands in one fold; whether all were answered by their operations.
    async fn send(&mut self, fold: &[usize]) -> Result<bool, String> {
        let submissions = fold.iter().map(|sent| &self.sent[*sent].submission);
        let submissions: Vec<_> = submissions.collect();
        let answers = self.folder.fold(&submissions).await;
        let answers = answers.map_err(|error| error.to_string())?;
        let mut answered = true;
        for (sent, answer) in fold.iter().zip(answers) {
            let Ok(operation) = answer else {
                answered = false;
                continue;
            };
            let refused_at_the_door =
                operation.state == i32::from(OperationState::Refused) && operation.number.is_none();
            self.sent[*sent].accepted |= !refused_at_the_door;
        }
        Ok(answered)
    }

    fn transfer(&mut self) -> Submission {
        let accounts = accounts();
        let sender = self.below(accounts.len());
        let receiver = (sender + 1 + self.below(accounts.len() - 1)) % accounts.len();
        let mut amount_qirat = 1_000 * (1 + self.below(200_000) as u64);
        if self.chance(2) {
            amount_qirat += POISON;
        }
        let max_fee_qirat = amount_qirat.div_ceil(100);
        let body = Body::Transfer(Transfer {
            sender: accounts[sender].clone(),
            receiver: accounts[receiver].clone(),
            amount_qirat,
            max_fee_qirat,
            reference_digest: Vec::new().into(),
        });
        let hold = Acceptance::Hold {
            account: accounts[sender].clone(),
            qirat: i64::try_from(amount_qirat + max_fee_qirat).unwrap(),
        };
        let lane = of_account(&accounts[sender], PARTNER_LANES).to_string();
        submission(
            self.sent.len() as u128,
            OperationType::Transfer,
            lane,
            body,
            hold,
        )
    }

    /// Clients ask again for everything; whether all were answered.
    async fn retry_everything(&mut self) -> Result<bool, String> {
        let all: Vec<usize> = (0..self.sent.len()).collect();
        let mut answered = true;
        for fold in all.chunks(32) {
            answered &= self.send(fold).await?;
        }
        Ok(answered)
    }

    pub(super) fn cut(&mut self) {
        self.core.cut_block().unwrap();
    }

    async fn submit(&mut self) -> Result<(), String> {
        let process = self.below(self.processes.len());
        let worker = self.below(self.processes[process].workers.len());
        let steps = 1 + self.below(3);
        self.submit_with(process, worker, steps).await
    }

    async fn submit_with(
        &mut self,
        process: usize,
        worker: usize,
        steps: usize,
    ) -> Result<(), String> {
        let worker = self.processes[process]
            .workers
            .values_mut()
            .nth(worker)
            .unwrap();
        for _ in 0..steps {
            let next = worker.step().await.map_err(|error| error.to_string())?;
            if next != Next::Now {
                break;
            }
        }
        Ok(())
    }

    async fn project(&mut self) -> Result<(), String> {
        let process = self.below(self.processes.len());
        let follower = self.below(self.processes[process].followers.len());
        self.project_with(process, follower).await
    }

    /// Followers of the partitions that there are now, which know what those of before
    /// have seen.
    async fn muster(&mut self, process: usize) {
        let partitions = checkpoint::count(self.store.read()).await.unwrap();
        let followers = &self.processes[process].followers;
        if followers.len() == partitions as usize {
            return;
        }
        let seen = followers.iter().map(|one| one.partition.highest());
        let seen = seen.max().unwrap_or(-1);
        let followers = (0..partitions).map(|partition| {
            let Follower { partition, next } = self.follower(process, partition, partitions);
            let partition = partition.having_seen(seen);
            Follower { partition, next }
        });
        self.processes[process].followers = followers.collect();
    }

    /// An operator wants another number of partitions. It is done as soon as all stand
    /// at one block, which some may reach at once.
    async fn deal(&mut self) -> Result<(), String> {
        let wanted = DEALS[self.below(DEALS.len())];
        let tx = self.store.begin().await.unwrap();
        deal::want_in(&tx, wanted).await.unwrap();
        tx.commit().await.unwrap();
        let process = self.below(self.processes.len());
        for _ in 0..self.below(4) {
            for follower in 0..self.processes[process].followers.len() {
                self.project_with(process, follower).await?;
            }
        }
        let dealt = deal::carry_out(&self.store).await;
        dealt.map_err(|error| error.to_string())
    }

    async fn project_with(&mut self, process: usize, follower: usize) -> Result<(), String> {
        let ledger = self.ledger.clone();
        let rests = |one: &Follower| one.next.is_none();
        let followers = &self.processes[process].followers;
        if followers.get(follower).is_none_or(rests) {
            self.muster(process).await;
        }
        let followers = &mut self.processes[process].followers;
        let Some(follower) = followers.get_mut(follower) else {
            return Ok(());
        };
        let Some(next) = follower.next else {
            follower.next = follower
                .partition
                .lease()
                .await
                .map_err(|error| error.to_string())?;
            return Ok(());
        };
        let mut blocks = ledger.blocks(next).await.unwrap().ready_chunks(4);
        let Some(Some(group)) = blocks.next().now_or_never() else {
            // A quiet chain: look whether the lease is still held.
            if !follower
                .partition
                .renew()
                .await
                .map_err(|error| error.to_string())?
            {
                follower.next = None;
            }
            return Ok(());
        };
        let group: Vec<_> = group
            .into_iter()
            .collect::<Result<_, LedgerError>>()
            .unwrap();
        match follower
            .partition
            .apply(&group)
            .await
            .map_err(|error| error.to_string())?
        {
            Applied::Yes => follower.next = group.last().map(|block| block.number + 1),
            Applied::Elsewhere => follower.next = None,
            Applied::Stopped(reason) => return Err(format!("partition stopped: {reason}")),
        }
        Ok(())
    }

    /// The network loses, doubles and delays.
    async fn network(&mut self) {
        let which = self.below(8);
        self.core.faults(|faults| match which {
            0 => faults.drop_submit_answers += 1,
            1 => faults.lose_submits += 1,
            2 => faults.duplicate_submits += 1,
            3 => faults.refuse_envelopes += 1,
            4 => faults.conflicts += 1,
            5 => faults.drop_status_answers += 2,
            6 => faults.overload += 1,
            _ => {}
        });
        let stored = envelope::Entity::find()
            .all(self.store.read())
            .await
            .unwrap();
        self.late.extend(
            stored
                .into_iter()
                .map(|row| bytes::Bytes::from(row.envelope)),
        );
        if !self.late.is_empty() {
            let late = self.below(self.late.len());
            // Refused or not: nobody waits for the answer.
            let _ = self.core.submit(&self.late[late]);
        }
    }

    /// An endorser falls behind, fails on everything, or comes back.
    fn endorsers(&mut self) {
        let endorser = self.below(2);
        let fault = match self.below(4) {
            0 => Some(EndorserFault {
                behind: 1 + self.below(3) as u64,
                fails: None,
            }),
            1 => Some(EndorserFault {
                behind: 0,
                fails: Some(LedgerError::Chaincode {
                    message: "panicked".to_owned(),
                }),
            }),
            _ => None,
        };
        self.core.faults(|faults| match fault {
            Some(fault) => drop(faults.endorsers.insert(endorser, fault)),
            None => faults.endorsers.clear(),
        });
    }

    /// A worker, or a whole process, is gone and starts again.
    fn crash(&mut self) {
        let process = self.below(self.processes.len());
        match self.below(3) {
            0 => self.processes[process] = self.process(process),
            1 => {
                let workers = self.processes[process].workers.len();
                let lane = *self.processes[process]
                    .workers
                    .keys()
                    .nth(self.random_below(workers))
                    .unwrap();
                let worker = self.worker(process, lane);
                self.processes[process].workers.insert(lane, worker);
            }
            _ => {
                let partitions = self.processes[process].followers.len();
                let partition = self.below(partitions);
                let [number, of] = [partition, partitions].map(|one| i32::try_from(one).unwrap());
                self.processes[process].followers[partition] = self.follower(process, number, of);
            }
        }
    }

    fn random_below(&self, bound: usize) -> usize {
        usize::try_from(self.core.height()).unwrap() % bound
    }

    /// A clock jumps: past every lease, or back.
    fn jump(&mut self) {
        let by_ms = if self.chance(70) { 20_000 } else { -5_000 };
        self.clock.advance_ms(by_ms);
    }

    /// Somebody looks at lanes that hold: poison is abandoned, and the lane goes on.
    /// Once in a while something else is abandoned too, at any moment.
    async fn operator(&mut self) {
        let held = lane::Entity::find()
            .filter(lane::Column::HeldReason.is_not_null())
            .all(self.store.read())
            .await
            .unwrap();
        let abandons = self.chance(30) && !self.sent.is_empty();
        if held.is_empty() && !abandons {
            return;
        }
        let tx = self.store.begin().await.unwrap();
        for lane in held {
            let rows = row::Entity::find()
                .filter(row::Column::Lane.eq(lane.name.as_str()))
                .all(&tx)
                .await
                .unwrap();
            for row in rows.into_iter().filter(|row| self.is_poison(row.id)) {
                abandon_in(&tx, row.id).await;
            }
            lane::Entity::update_many()
                .col_expr(lane::Column::HeldReason, Expr::value(None::<String>))
                .filter(lane::Column::Name.eq(lane.name))
                .exec(&tx)
                .await
                .unwrap();
        }
        if abandons {
            let any = self.below(self.sent.len());
            abandon_in(&tx, self.sent[any].submission.id.0).await;
            self.abandoned = true;
        }
        tx.commit().await.unwrap();
    }

    fn is_poison(&self, id: Uuid) -> bool {
        self.sent.iter().any(|sent| {
            sent.submission.id.0 == id
                && matches!(&sent.submission.body, Body::Transfer(transfer) if transfer.amount_qirat % 1_000 == POISON)
        })
    }

    async fn housekeep(&mut self, process: usize) -> Result<(), String> {
        let parts = self.projector(process, &self.store);
        let target = &mut self.processes[process].target;
        let height = projector::housekeep(&parts, target).await;
        height.map(|_| ()).map_err(|error| error.to_string())
    }

    /// The database is saved, or falls back to what was saved: under running
    /// processes, or with all of them started anew.
    async fn database(&mut self) {
        if self.chance(50) {
            self.backup = image::take(&self.store).await;
            return;
        }
        image::restore(&self.store, &self.backup).await;
        self.fell_back = true;
        if self.chance(50) {
            gx_server::outbox::catching_up::mark(&self.store)
                .await
                .unwrap();
            self.processes = vec![self.process(0), self.process(1)];
        }
    }
}

async fn abandon_in(tx: &sea_orm::DatabaseTransaction, id: Uuid) {
    row::Entity::update_many()
        .col_expr(row::Column::Abandoned, true.into())
        .filter(row::Column::Id.eq(id))
        .filter(row::Column::Number.is_null())
        .exec(tx)
        .await
        .unwrap();
}
