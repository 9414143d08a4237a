//! A small world for unit tests: a database in memory with a running intake,
//! callers, and rows that stand there as the projections write them.

mod operation;

use std::{net::Ipv4Addr, path::Path, sync::Arc};

use gx_contract::{account::AccountId, lane};
use gx_proto::gx::{
    contract::v1::{AccountStatus, AccountType, PostingKind},
    identity::v1::Role,
};
use sea_orm::{DatabaseTransaction, IntoActiveModel, entity::prelude::*};
use tokio_util::sync::CancellationToken;
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::{
    app::{App, Topology},
    audit,
    auth::{Authenticator, Caller, Context, Passwords, Subject, UserId, session},
    cache::{Answers, Wake},
    checkpoint::{self, partition_of},
    clock::{ManualClock, SharedClock},
    config::Config,
    directory,
    error::Error,
    limits::RateLimits,
    notifier::Notifier,
    outbox::{Folder, Intake, entity::control, intake},
    projector,
    secrets::Secrets,
    store::{DatabaseUrl, Store},
    telemetry::Readiness,
    tokenomics::projection::{Change, supply_in},
    wallet::projection::{self, OpenedAccount, Posting},
};

pub(crate) use operation::{first_lane, record, submission, transfer};

/// The time that stands in the fixture.
pub(crate) const NOW_MS: i64 = 1_700_000_000_000;

const TOPOLOGY: Topology = Topology { partner_lanes: 4 };
const PARTITIONS: i32 = 2;

/// An empty system whose partitions stand before their first block.
pub(crate) async fn app() -> App {
    let config = Config::default();
    let store = Store::open(&DatabaseUrl::SqliteMemory).await.unwrap();
    let clock = Arc::new(ManualClock::at(NOW_MS));
    let wake = Wake::default();
    let tx = store.begin().await.unwrap();
    let control = control::Model {
        id: 1,
        partner_lanes: 4,
        partitions: PARTITIONS,
        mark: 0,
        mark_cleared: 0,
        partitions_wanted: None,
        deal_block: None,
    };
    let control = control::Entity::insert(control.into_active_model());
    control.exec_without_returning(&tx).await.unwrap();
    projector::create_in(&tx, PARTITIONS).await.unwrap();
    tx.commit().await.unwrap();

    let (intake, line) = Intake::new(&config.intake);
    let folder = Folder {
        store: store.clone(),
        clock: clock.clone(),
        wake: wake.clone(),
    };
    tokio::spawn(intake::run(
        line,
        folder,
        config.intake.clone(),
        CancellationToken::new(),
    ));
    // The folder goes when the test's process does; only key files are in it.
    let data_dir = tempfile::tempdir().unwrap().keep();
    assemble(store, clock, wake, intake, TOPOLOGY, &data_dir)
}

/// What a role would build from these parts, on default settings.
pub(crate) fn assemble(
    store: Store,
    clock: SharedClock,
    wake: Wake,
    intake: Intake,
    topology: Topology,
    data_dir: &Path,
) -> App {
    let config = Config::default();
    let secrets = Arc::new(Secrets::load_or_create(&data_dir.join("keys")).unwrap());
    App {
        auth: Authenticator::new(store.clone(), clock.clone(), secrets.clone(), &config.token),
        passwords: Passwords::new(&config.login),
        notifier: Notifier::new(data_dir),
        payers: Arc::default(),
        rates: RateLimits::new(&config.limits, None),
        rooms: Arc::default(),
        answers: Answers::default(),
        readiness: Readiness::default(),
        trail: audit::trail().0,
        data_dir: data_dir.to_owned(),
        config: Arc::new(config),
        topology,
        clock,
        store,
        wake,
        intake,
        secrets,
    }
}

/// A user by number.
pub(crate) fn user(number: u128) -> Caller {
    Caller {
        user: UserId(Uuid::from_u128(number)),
        session: Uuid::nil(),
        roles: vec![Role::User],
    }
}

/// Somebody who reads everything and owns nothing.
pub(crate) fn auditor() -> Caller {
    Caller {
        roles: vec![Role::Auditor],
        ..user(u128::MAX)
    }
}

/// Somebody with a session that lasts.
pub(crate) async fn signed_in(app: &App, number: u128, roles: &[Role]) -> Caller {
    let tx = app.store.begin().await.unwrap();
    let begun = session::Model::begun(NOW_MS, user(number).user, roles, 900);
    let session = session::open_in(&tx, NOW_MS, begun).await;
    tx.commit().await.unwrap();
    Caller {
        session: session.unwrap().id,
        roles: roles.to_vec(),
        ..user(number)
    }
}

/// A call of a method.
pub(crate) fn context(method: &'static str) -> Context {
    Context {
        method,
        request_id: "call".to_owned(),
        traceparent: None,
        client: Ipv4Addr::LOCALHOST.into(),
        subject: Subject::default(),
        leaving: CancellationToken::new(),
    }
}

/// The account of the user with this number.
pub(crate) fn account(number: u8) -> AccountId {
    AccountId::from_bits([number; 10])
}

/// Opens the account of the user with this number, whose name is Ann Bee.
pub(crate) async fn person(app: &App, number: u8, country: &str) -> AccountId {
    organization(app, number, AccountType::Person, country).await
}

/// Opens an account of any type for the user with this number.
pub(crate) async fn organization(
    app: &App,
    number: u8,
    account_type: AccountType,
    country: &str,
) -> AccountId {
    let account = account(number);
    let owner = user(number.into()).user;
    let tx = app.store.begin().await.unwrap();
    let name = directory::mask("Ann", "Bee");
    directory::claim_in(&tx, account.as_str(), owner, &name, country)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    open(app, account.as_str(), account_type, country).await;
    account
}

/// Opens any account, as the projector does.
pub(crate) async fn open(app: &App, account: &str, account_type: AccountType, country: &str) {
    let tx = app.store.begin().await.unwrap();
    let listed = directory::Opened {
        account: account.to_owned(),
        account_type,
        country: country.to_owned(),
    };
    directory::opened_in(&tx, &[listed]).await.unwrap();
    let opened = OpenedAccount {
        account: account.to_owned(),
        account_type,
        status: AccountStatus::Active,
        country: country.to_owned(),
        lane: lane_of(account),
        time_ms: NOW_MS,
    };
    projection::open_in(&tx, &[opened]).await.unwrap();
    tx.commit().await.unwrap();
}

/// The lane of an account.
pub(crate) fn lane_of(account: &str) -> String {
    lane::of_account(account, TOPOLOGY.partner_lanes).to_string()
}

/// The partition of an account.
pub(crate) fn partition(account: &str) -> i32 {
    partition_of(&lane_of(account), PARTITIONS)
}

/// A posting of the first command of a block; its operation has the block's number.
pub(crate) fn posting(
    block: i64,
    place: i32,
    account: &str,
    delta_qirat: i64,
    counterparty: &str,
) -> Posting {
    Posting {
        account: account.to_owned(),
        delta_qirat,
        kind: PostingKind::Transfer,
        counterparty: counterparty.to_owned(),
        operation: Uuid::from_u128(block.unsigned_abs().into()),
        lane: "partner/0".to_owned(),
        number: block,
        fabric_tx_id: format!("tx-{block}"),
        block,
        transaction: 0,
        command: 0,
        posting: place,
        time_ms: NOW_MS + block,
    }
}

/// Moves coins in a block, in every partition, and moves no checkpoint.
pub(crate) async fn pay(app: &App, block: i64, from: &str, to: &str, qirat: i64) {
    let postings = [
        posting(block, 0, from, -qirat, to),
        posting(block, 1, to, qirat, from),
    ];
    post(app, &postings).await;
}

/// Posts to wallets and supply.
pub(crate) async fn post(app: &App, postings: &[Posting]) {
    let tx = app.store.begin().await.unwrap();
    post_in(&tx, postings).await;
    tx.commit().await.unwrap();
}

/// Posts and moves every partition's checkpoint at once, as the projector does.
pub(crate) async fn project(app: &App, block: i64, postings: &[Posting]) {
    let tx = app.store.begin().await.unwrap();
    post_in(&tx, postings).await;
    for partition in 0..PARTITIONS {
        apply_in(&tx, partition, block).await;
    }
    tx.commit().await.unwrap();
    app.wake.moved();
}

async fn post_in(tx: &DatabaseTransaction, postings: &[Posting]) {
    let changes = projection::Changes {
        postings,
        ..Default::default()
    };
    projection::change_in(tx, changes).await.unwrap();
    for partition in 0..PARTITIONS {
        let own = postings
            .iter()
            .filter(|posting| self::partition(&posting.account) == partition);
        let changes: Vec<_> = own
            .map(|posting| Change::of(posting.block, &posting.account, posting.delta_qirat))
            .collect();
        supply_in(tx, partition, &changes).await.unwrap();
    }
}

/// Moves a partition's checkpoint, and wakes whoever waits for it.
pub(crate) async fn apply(app: &App, partition: i32, block: i64) {
    let tx = app.store.begin().await.unwrap();
    apply_in(&tx, partition, block).await;
    tx.commit().await.unwrap();
    app.wake.moved();
}

async fn apply_in(tx: &DatabaseTransaction, partition: i32, block: i64) {
    checkpoint::Entity::update_many()
        .col_expr(checkpoint::Column::Block, block.into())
        .col_expr(checkpoint::Column::Height, (block + 1).into())
        .filter(checkpoint::Column::Partition.eq(partition))
        .exec(tx)
        .await
        .unwrap();
}

/// Moves every partition's checkpoint.
pub(crate) async fn apply_all(app: &App, block: i64) {
    for partition in 0..PARTITIONS {
        apply(app, partition, block).await;
    }
}

/// Changes one row of a table, whatever guards it in earnest.
pub(crate) async fn change<E>(
    app: &App,
    key: impl Into<<E::PrimaryKey as PrimaryKeyTrait>::ValueType>,
    by: impl FnOnce(&mut E::ActiveModel),
) where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: ActiveModelBehavior + Send,
    E::Model: Send,
{
    let tx = app.store.begin().await.unwrap();
    let mut row = E::find_by_id(key)
        .one(&tx)
        .await
        .unwrap()
        .unwrap()
        .into_active_model();
    by(&mut row);
    row.update(&tx).await.unwrap();
    tx.commit().await.unwrap();
}

/// The fields that an error complains about, in order.
pub(crate) fn violated(error: Error) -> Vec<String> {
    let status = tonic::Status::from(error);
    let details = status.get_error_details();
    let violations = details
        .bad_request()
        .map(|request| request.field_violations.clone());
    violations
        .unwrap_or_default()
        .into_iter()
        .map(|violation| violation.field)
        .collect()
}
