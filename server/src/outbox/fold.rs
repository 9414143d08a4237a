//! One fold: the commands that waited, in one database transaction.

use std::collections::{BTreeMap, BTreeSet};

use gx_proto::gx::{common::v1::Reason, contract::v1::Command, operation::v1::OperationState};
use prost::Message;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    DatabaseTransaction, IntoActiveModel,
    entity::prelude::*,
};

use super::{
    Acceptance, Refusal, Submission,
    entity::{control, operation, row},
    hold::Holds,
};
use crate::{
    audit,
    cache::Wake,
    clock::SharedClock,
    error::{self, Error, Result},
    fault::kill_point,
    store::{Lock, Store, bulk},
    telemetry::metrics::{INTAKE_COMMANDS, INTAKE_COMMITS},
};

/// Does folds; the intake calls it with what waited.
#[derive(Debug, Clone)]
pub struct Folder {
    /// The database.
    pub store: Store,
    /// Tells the time.
    pub clock: SharedClock,
    /// Wakes the submitter.
    pub wake: Wake,
}

/// What a fold answers for each id.
type Answers = BTreeMap<Uuid, Result<operation::Model, Rejection>>;

/// Why a command was not taken; unlike a refusal nothing records it.
#[derive(Debug, Clone, Copy)]
enum Rejection {
    Reused,
    CatchingUp,
}

impl Folder {
    /// Takes the commands in one transaction and answers them in order.
    ///
    /// # Errors
    /// If the database fails; nothing was taken then.
    pub async fn fold(&self, submissions: &[&Submission]) -> Result<Vec<Result<operation::Model>>> {
        let (distinct, repeated) = distinct(submissions);
        let commands = distinct.len() as u64;

        let tx = self.store.begin().await?;
        let answers = self.fold_in(&tx, distinct, repeated).await?;
        kill_point("fold");
        tx.commit().await?;
        kill_point("folded");

        metrics::counter!(INTAKE_COMMITS).increment(1);
        metrics::counter!(INTAKE_COMMANDS).increment(commands);
        self.wake.submitter();
        let answered = submissions.iter().map(|one| answer(&answers, one));
        Ok(answered.collect())
    }

    async fn fold_in(
        &self,
        tx: &DatabaseTransaction,
        commands: Vec<&Submission>,
        repeated: Vec<&Submission>,
    ) -> Result<Answers> {
        let now_ms = self.clock.now_ms();
        // First of all locks: whoever marks or re-deals waits for this transaction.
        let control = control::Entity::find_by_id(1).for_share().one(tx).await?;
        let control = control.ok_or_else(|| anyhow::anyhow!("the database has no control row"))?;
        let taken = match control.catching_up() {
            true => BTreeSet::new(),
            false => insert_operations_in(tx, &commands, now_ms).await?,
        };
        let (taken, mut known): (Vec<_>, Vec<_>) = commands
            .into_iter()
            .partition(|command| taken.contains(&command.id.0));

        known.sort_by_key(|command| command.id.0);
        let mut answers = known_in(tx, known, now_ms).await?;
        for model in accept_in(tx, taken, now_ms).await? {
            answers.insert(model.id, Ok(model));
        }
        let is_answered = |one: &&Submission| answers.get(&one.id.0).is_some_and(Result::is_ok);
        let answered = repeated.into_iter().filter(is_answered);
        audit::record_in(tx, now_ms, answered.map(|one| one.audit.clone()).collect()).await?;
        Ok(answers)
    }
}

/// Decides the commands that are taken for the first time.
async fn accept_in(
    tx: &DatabaseTransaction,
    commands: Vec<&Submission>,
    now_ms: i64,
) -> Result<Vec<operation::Model>> {
    let mut holds = Holds::lock_in(tx, held_accounts(&commands)).await?;
    let mut accepted = Vec::with_capacity(commands.len());
    let mut audited = Vec::with_capacity(commands.len());
    let mut models = Vec::with_capacity(commands.len());
    for command in commands {
        let decision = decide_in(tx, &mut holds, command).await?;
        let mut model = new_operation(command, now_ms);
        let mut entry = command.audit.clone();
        match decision {
            Ok(()) => accepted.push(outbox_row(command, now_ms)),
            Err(refusal) => {
                error::reason_name(refusal.reason).clone_into(&mut entry.outcome);
                refuse(&mut model, refusal, now_ms);
                model
                    .clone()
                    .into_active_model()
                    .reset_all()
                    .update(tx)
                    .await?;
            }
        }
        audited.push(entry);
        models.push(model);
    }
    bulk::insert_active_in(tx, accepted).await?;
    holds.hold_in(tx).await?;
    audit::record_in(tx, now_ms, audited).await?;
    Ok(models)
}

/// The commands without those that come again under one id, and of the latter those that
/// ask for the same.
fn distinct<'a>(submissions: &[&'a Submission]) -> (Vec<&'a Submission>, Vec<&'a Submission>) {
    let mut seen = BTreeMap::new();
    let (mut distinct, mut repeated) = (Vec::new(), Vec::new());
    for one in submissions.iter().copied() {
        match seen.get(&one.id) {
            None => {
                seen.insert(one.id, one.request_digest);
                distinct.push(one);
            }
            Some(digest) if *digest == one.request_digest => repeated.push(one),
            Some(_) => {}
        }
    }
    (distinct, repeated)
}

/// The answer under a command's id, if its digest is the one that was taken under it.
fn answer(answers: &Answers, command: &Submission) -> Result<operation::Model> {
    match answers.get(&command.id.0) {
        Some(Ok(model)) if model.request_digest == command.request_digest => Ok(model.clone()),
        Some(Ok(_) | Err(Rejection::Reused)) => Err(Error::rejected(
            Reason::RequestIdReused,
            "the request_id was used for another request",
        )
        .with("request_id", command.request_id.to_string())),
        Some(Err(Rejection::CatchingUp)) | None => Err(Error::rejected(
            Reason::CatchingUp,
            "commands wait until the database has caught up with the ledger",
        )
        .retry_after(std::time::Duration::from_secs(5))),
    }
}

/// Inserts the operations, in order of their ids, and tells which were not there.
async fn insert_operations_in(
    tx: &DatabaseTransaction,
    commands: &[&Submission],
    now_ms: i64,
) -> Result<BTreeSet<Uuid>> {
    let models = commands
        .iter()
        .map(|command| new_operation(command, now_ms));
    let mut models: Vec<_> = models.collect();
    models.sort_by_key(|model| model.id);
    let rows: Vec<_> = models.into_iter().map(accepted_row).collect();
    Ok(operation::insert_those_missing_in(tx, &rows).await?)
}

/// Answers commands whose ids were there, whatever their state. One that only the
/// chain remembered becomes its owner's again: the id is derived from the owner. The
/// commands come in order of their ids, for each such row is locked.
async fn known_in(
    tx: &DatabaseTransaction,
    commands: Vec<&Submission>,
    now_ms: i64,
) -> Result<Answers> {
    if commands.is_empty() {
        return Ok(Answers::new());
    }
    let ids = commands.iter().map(|command| command.id.0);
    let rows = operation::Entity::find()
        .filter(bulk::among(tx, operation::Column::Id, ids))
        .all(tx)
        .await?;
    let mut rows: BTreeMap<Uuid, operation::Model> =
        rows.into_iter().map(|row| (row.id, row)).collect();
    let mut answers = Answers::new();
    let mut audited = Vec::new();
    for command in commands {
        let answer = match rows.remove(&command.id.0) {
            None => Err(Rejection::CatchingUp),
            Some(row) if row.request_digest != command.request_digest => Err(Rejection::Reused),
            Some(row) if row.owner.is_some() => Ok(row),
            Some(row) => {
                let mut row = row.into_active_model();
                row.owner = Set(Some(command.owner.clone()));
                row.request_id = Set(Some(command.request_id));
                row.memo = Set(command.memo.clone());
                Ok(row.update(tx).await?)
            }
        };
        if answer.is_ok() {
            audited.push(command.audit.clone());
        }
        answers.insert(command.id.0, answer);
    }
    audit::record_in(tx, now_ms, audited).await?;
    Ok(answers)
}

async fn decide_in(
    tx: &DatabaseTransaction,
    holds: &mut Holds,
    command: &Submission,
) -> Result<Result<(), Refusal>> {
    match &command.acceptance {
        Acceptance::Nothing => Ok(Ok(())),
        Acceptance::Hold { account, qirat } => Ok(holds.decide(account, *qirat)),
        Acceptance::Service(service) => service.accept_in(tx, command.id).await,
    }
}

fn held_accounts(commands: &[&Submission]) -> Vec<String> {
    let accounts = commands
        .iter()
        .filter_map(|command| match &command.acceptance {
            Acceptance::Hold { account, .. } => Some(account.clone()),
            Acceptance::Nothing | Acceptance::Service(_) => None,
        });
    accounts.collect::<BTreeSet<_>>().into_iter().collect()
}

fn new_operation(command: &Submission, now_ms: i64) -> operation::Model {
    operation::Model {
        id: command.id.0,
        owner: Some(command.owner.clone()),
        request_id: Some(command.request_id),
        request_digest: command.request_digest.to_vec(),
        kind: command.kind.into(),
        state: OperationState::Accepted.into(),
        reason: None,
        reason_metadata: None,
        result: None,
        memo: command.memo.clone(),
        lane: command.lane.clone(),
        number: None,
        fabric_tx_id: None,
        block: None,
        created_ms: now_ms,
        submitted_ms: None,
        settled_ms: None,
    }
}

/// The row of an operation that begins; what is not known yet is not sent either.
fn accepted_row(model: operation::Model) -> operation::ActiveModel {
    operation::ActiveModel {
        reason: NotSet,
        reason_metadata: NotSet,
        result: NotSet,
        number: NotSet,
        fabric_tx_id: NotSet,
        block: NotSet,
        submitted_ms: NotSet,
        settled_ms: NotSet,
        ..model.into_active_model()
    }
}

/// Makes an operation that was refused at the door.
fn refuse(model: &mut operation::Model, refusal: Refusal, now_ms: i64) {
    model.state = OperationState::Refused.into();
    model.reason = Some(refusal.reason.into());
    model.reason_metadata = Some(refusal.metadata_json());
    model.settled_ms = Some(now_ms);
}

fn outbox_row(command: &Submission, now_ms: i64) -> row::ActiveModel {
    let (held_account, held_qirat) = match &command.acceptance {
        Acceptance::Hold { account, qirat } => (Some(account.clone()), *qirat),
        Acceptance::Nothing | Acceptance::Service(_) => (None, 0),
    };
    let body = Command {
        id: command.id.bytes().to_vec().into(),
        request_digest: command.request_digest.to_vec().into(),
        body: Some(command.body.clone()),
    };
    row::ActiveModel {
        id: Set(command.id.0),
        lane: Set(command.lane.clone()),
        request_digest: Set(command.request_digest.to_vec()),
        body: Set(body.encode_to_vec()),
        held_account: Set(held_account),
        held_qirat: Set(held_qirat),
        traceparent: Set(command.traceparent.clone()),
        created_ms: Set(now_ms),
        // All else is as the table has it for a row that begins.
        ..Default::default()
    }
}
