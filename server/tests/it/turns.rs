//! What waits for what on PostgreSQL, where many transactions write at once. Each
//! test holds one transaction open by hand, and goes on when the others are seen to
//! wait.

use std::{sync::Arc, time::Duration};

use futures::future::join;
use gx_contract::account::AccountId;
use gx_proto::gx::{
    common::v1::Reason,
    contract::v1::{Transfer, command::Body},
    identity::v1::StartRegistrationRequest,
    operation::v1::{OperationState, OperationType},
};
use gx_server::{
    audit,
    cache::Wake,
    clock::ManualClock,
    config::Config,
    id::CommandId,
    outbox::{
        Acceptance, Folder, Refusal, Submission, catching_up,
        entity::{control, lane, operation, row},
        settle::{self, Outcome, Settled},
    },
    start,
    store::{DatabaseUrl, Lock, Store},
    wallet::projection::{self, Changes},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, PaginatorTrait,
    QueryFilter, Set, Statement,
};
use uuid::Uuid;

use crate::harness::{Database, Gx, postgres_database, unused_contact};

/// Waits until so many statements wait for a lock that begin with these words.
async fn waiting(store: &Store, count: i64, begin: &[&str]) {
    let alike = begin.iter().map(|begin| format!("query ilike '{begin}%'"));
    let alike = alike.collect::<Vec<_>>().join(" or ");
    let query = format!(
        "select count(*) as waiting from pg_stat_activity \
         where datname = current_database() and wait_event_type = 'Lock' and ({alike})"
    );
    let seen = async {
        loop {
            let query = Statement::from_string(DbBackend::Postgres, query.clone());
            let row = store.read().query_one_raw(query).await.expect("activity");
            let waits: i64 = row.expect("a row").try_get("", "waiting").expect("a count");
            if waits >= count {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let seen = tokio::time::timeout(Duration::from_secs(30), seen).await;
    seen.unwrap_or_else(|_| panic!("{count} statements {begin:?} never waited"));
}

async fn messages(gx: &Gx, contact: &str) -> usize {
    let sent = std::fs::read_to_string(gx.data_dir().join("codes.jsonl"));
    sent.expect("codes").matches(contact).count()
}

/// Both registrations stand at their last statement, or where one waits for the
/// other, before either may commit.
#[tokio::test]
async fn of_two_registrations_at_once_one_counts_the_other_on_postgres() {
    let gx = Gx::start(Database::Postgres).await;
    let contact = unused_contact();
    for _ in 0..4 {
        gx.registration(&contact).await;
    }
    let store = gx.store().await;
    let held = store.begin().await.expect("a transaction");
    let lock = held.execute_unprepared("lock table audit_log in exclusive mode");
    lock.await.expect("locked");
    let start = || {
        let (mut identity, contact) = (gx.client().identity(), contact.clone());
        let start = StartRegistrationRequest { contact };
        async move { identity.start_registration(start).await.map(drop) }
    };
    let both = tokio::spawn(join(start(), start()));
    let begin = ["insert into \"audit_log\"", "select pg_advisory"];
    waiting(store, 2, &begin).await;
    held.rollback().await.expect("let go");
    let (one, other) = both.await.expect("both answered");
    one.and(other).expect("answered alike");
    assert_eq!(messages(&gx, &contact).await, 5);
}

/// Shares the control row, as taking commands and forming batches do.
async fn share(tx: &DatabaseTransaction) -> control::Model {
    let control = control::Entity::find_by_id(1).for_share().one(tx).await;
    control.expect("shared").expect("the control row")
}

/// Without turns the second one would join the first past the mark that waits, and
/// a third one the second, for ever.
#[tokio::test]
async fn who_comes_after_a_catching_up_mark_waits_for_it_on_postgres() {
    let url = DatabaseUrl::Postgres(postgres_database().await.into());
    let store = Store::open(&url).await.expect("a store");
    let row = control::ActiveModel {
        id: Set(1),
        partner_lanes: Set(1),
        partitions: Set(1),
        mark: Set(0),
        mark_cleared: Set(0),
        partitions_wanted: Set(None),
        deal_block: Set(None),
    };
    let made = control::Entity::insert(row).exec_without_returning(store.write());
    made.await.expect("a control row");
    for marked in [true, false] {
        let under_way = store.begin().await.expect("a transaction");
        assert_ne!(share(&under_way).await.catching_up(), marked);
        let turn = store.clone();
        let turn = tokio::spawn(async move {
            match marked {
                true => catching_up::mark(&turn).await,
                false => catching_up::clear(&turn, 1).await,
            }
        });
        waiting(&store, 1, &["lock table", "select", "update"]).await;
        let late = store.clone();
        let late = tokio::spawn(async move {
            let late = late.begin().await.expect("a transaction");
            share(&late).await.catching_up()
        });
        waiting(&store, 2, &["lock table", "select", "update"]).await;
        under_way.commit().await.expect("a commit");
        turn.await.expect("no panic").expect("marked or cleared");
        assert_eq!(late.await.expect("no panic"), marked);
    }
}

/// A database with one wallet of 100 Qirat.
async fn with_a_wallet() -> (Store, Folder, String) {
    let url = DatabaseUrl::Postgres(postgres_database().await.into());
    let store = Store::open(&url).await.expect("a store");
    start::topology(&store, &Config::default())
        .await
        .expect("fixed rows");
    let account = AccountId::from_bits([1; 10]).to_string();
    let wallet = format!(
        "insert into wallets (account, lane, type, status, country, balance_qirat, folded_qirat, \
         reserved_qirat, tax_timer_start_ms, created_ms) \
         values ('{account}', 'partner/0', 1, 1, 'DE', 100, 100, 0, 0, 0)"
    );
    store
        .write()
        .execute_unprepared(&wallet)
        .await
        .expect("a wallet");
    let folder = Folder {
        store: store.clone(),
        clock: Arc::new(ManualClock::at(1_700_000_000_000)),
        wake: Wake::default(),
    };
    (store, folder, account)
}

/// A transfer that holds 60 of the wallet's Qirat.
fn transfer(number: u128, account: &str) -> Submission {
    let request_id = Uuid::from_u128(number);
    Submission {
        id: CommandId::derive("ann", request_id),
        owner: "ann".to_owned(),
        request_id,
        request_digest: [7; 32],
        kind: OperationType::Transfer,
        lane: "partner/0".to_owned(),
        body: Body::Transfer(Transfer {
            sender: account.to_owned(),
            amount_qirat: 60,
            ..Transfer::default()
        }),
        acceptance: Acceptance::Hold {
            account: account.to_owned(),
            qirat: 60,
        },
        memo: None,
        traceparent: None,
        audit: audit::Entry {
            actor: None,
            action: "pay",
            subject: String::new(),
            outcome: "OK".to_owned(),
            request_id: String::new(),
            traceparent: None,
            client: String::new(),
            fabric_tx_id: None,
        },
    }
}

/// Holds every fold at its last statement, where all else is written.
async fn hold_folds(store: &Store) -> DatabaseTransaction {
    let held = store.begin().await.expect("a transaction");
    let lock = held.execute_unprepared("lock table audit_log in exclusive mode");
    lock.await.expect("locked");
    held
}

async fn reserved(store: &Store) -> i64 {
    let query = "select reserved_qirat from wallets";
    let query = Statement::from_string(DbBackend::Postgres, query);
    let row = store.read().query_one_raw(query).await.expect("read");
    row.expect("a wallet")
        .try_get_by_index(0)
        .expect("a number")
}

/// The second fold waits for the wallet, and reads what is left of it only then.
#[tokio::test]
async fn of_two_folds_at_once_the_second_sees_what_the_first_holds_on_postgres() {
    let (store, folder, account) = with_a_wallet().await;
    let held = hold_folds(&store).await;
    let fold = |number| {
        let (folder, submission) = (folder.clone(), transfer(number, &account));
        tokio::spawn(async move { folder.fold(&[&submission]).await })
    };
    let first = fold(1);
    waiting(&store, 1, &["insert into \"audit_log\""]).await;
    let second = fold(2);
    waiting(&store, 2, &["insert into \"audit_log\"", "select"]).await;
    held.rollback().await.expect("let go");
    let mut states = Vec::new();
    for fold in [first, second] {
        let answers = fold.await.expect("no panic").expect("folded");
        states.push(answers[0].as_ref().expect("an operation").state);
    }
    let expected = [OperationState::Accepted, OperationState::Refused];
    assert_eq!(states, expected.map(i32::from));
    assert_eq!(reserved(&store).await, 60);
}

/// A block tells the outcome of a command whose row an intake has not committed yet, as
/// it can once a database went back.
#[tokio::test]
async fn settling_waits_for_an_intake_under_way_and_releases_its_hold_on_postgres() {
    let (store, folder, account) = with_a_wallet().await;
    let submission = transfer(1, &account);
    let id = submission.id.0;
    let held = hold_folds(&store).await;
    let fold = tokio::spawn({
        let folder = folder.clone();
        async move { folder.fold(&[&submission]).await }
    });
    waiting(&store, 1, &["insert into \"audit_log\""]).await;
    let settled = Settled {
        id,
        request_digest: vec![7; 32],
        kind: OperationType::Transfer,
        outcome: Outcome::Refused(Refusal::new(Reason::FeeChanged)),
        lane: "partner/0".to_owned(),
        number: 1,
        fabric_tx_id: "tx".to_owned(),
        block: 5,
    };
    let projector = store.clone();
    let settling = tokio::spawn(async move {
        let tx = projector.begin().await?;
        settle_in(&tx, &[settled]).await;
        Ok::<_, gx_server::error::Error>(tx.commit().await?)
    });
    waiting(
        &store,
        2,
        &["insert into \"audit_log\"", "insert into \"operations\""],
    )
    .await;
    held.rollback().await.expect("let go");
    fold.await.expect("no panic").expect("folded");
    settling.await.expect("no panic").expect("settled");
    let operation = operation::Entity::find_by_id(id).one(store.read()).await;
    let operation = operation.expect("read").expect("an operation");
    assert_eq!(operation.state, i32::from(OperationState::Refused));
    assert_eq!(
        row::Entity::find().count(store.read()).await.expect("read"),
        0
    );
    assert_eq!(reserved(&store).await, 0);
}

/// What the server refused for two transactions that waited for each other.
async fn deadlocks(store: &Store) -> i64 {
    let query = "select pg_stat_clear_snapshot(), deadlocks from pg_stat_database \
                 where datname = current_database()";
    let query = Statement::from_string(DbBackend::Postgres, query);
    let row = store.read().query_one_raw(query).await.expect("read");
    row.expect("a database")
        .try_get("", "deadlocks")
        .expect("a count")
}

/// Another wallet of 100 Qirat.
async fn another_wallet(store: &Store) -> String {
    let account = AccountId::from_bits([2; 10]).to_string();
    let columns = "lane, type, status, country, balance_qirat, folded_qirat, reserved_qirat, \
                   tax_timer_start_ms, created_ms";
    let copied = format!(
        "insert into wallets (account, {columns}) select '{account}', {columns} from wallets"
    );
    store
        .write()
        .execute_unprepared(&copied)
        .await
        .expect("a wallet");
    account
}

/// What a block tells of a command that the rules refused.
fn refused(submission: &Submission, number: i64) -> Settled {
    Settled {
        id: submission.id.0,
        request_digest: vec![7; 32],
        kind: OperationType::Transfer,
        outcome: Outcome::Refused(Refusal::new(Reason::FeeChanged)),
        lane: "partner/0".to_owned(),
        number,
        fabric_tx_id: "tx".to_owned(),
        block: 5,
    }
}

/// A projector's locks as `apply` takes them: lanes, operations and outbox rows, wallets.
async fn project(tx: &DatabaseTransaction, commands: &[Settled]) {
    let lanes = lane::Entity::find()
        .filter(lane::Column::Name.eq("partner/0"))
        .for_update();
    lanes.all(tx).await.expect("lanes");
    settle_in(tx, commands).await;
}

/// Settles commands and releases what they held.
async fn settle_in(tx: &DatabaseTransaction, commands: &[Settled]) {
    let settling = settle::settle_in(tx, commands, 0).await.expect("settled");
    release_in(tx, &settling.held).await;
}

async fn release_in(tx: &DatabaseTransaction, held: &[(String, i64)]) {
    let changes = Changes {
        released: held,
        ..Changes::default()
    };
    let released = projection::change_in(tx, changes).await;
    released.expect("released");
}

/// Both want the same operations and the same two wallets, each named in the other's
/// opposite order; whoever comes second waits, whoever that is.
#[tokio::test]
async fn a_fold_and_a_projection_that_want_the_same_rows_wait_and_never_deadlock_on_postgres() {
    let (store, folder, first) = with_a_wallet().await;
    let second = another_wallet(&store).await;
    let accepted = [transfer(1, &first), transfer(2, &second)];
    for answer in folder.fold(&accepted.each_ref()).await.expect("folded") {
        answer.expect("accepted");
    }
    let outcomes = [refused(&accepted[1], 2), refused(&accepted[0], 1)];

    // The projection first, held with all its locks; the fold wants more of both.
    let more = [transfer(4, &second), transfer(3, &first)];
    let projection = store.begin().await.expect("a transaction");
    project(&projection, &outcomes).await;
    let fold = tokio::spawn({
        let folder = folder.clone();
        async move { folder.fold(&more.each_ref()).await }
    });
    waiting(&store, 1, &["select \"wallets\""]).await;
    projection.commit().await.expect("a commit");
    for answer in fold.await.expect("no panic").expect("folded") {
        let state = answer.expect("an operation").state;
        assert_eq!(state, i32::from(OperationState::Accepted));
    }

    // The fold first, held at its last statement; the projection wants its commands.
    let last = [transfer(3, &first), transfer(4, &second)];
    let outcomes = [refused(&last[1], 4), refused(&last[0], 3)];
    let later = [transfer(6, &second), transfer(5, &first)];
    let held = hold_folds(&store).await;
    let fold = tokio::spawn(async move { folder.fold(&later.each_ref()).await });
    waiting(&store, 1, &["insert into \"audit_log\""]).await;
    let projecting = tokio::spawn({
        let store = store.clone();
        async move {
            let tx = store.begin().await.expect("a transaction");
            settle_in(&tx, &outcomes).await;
            tx.commit().await.expect("a commit");
        }
    });
    let begin = ["insert into \"audit_log\"", "select \"wallets\""];
    waiting(&store, 2, &begin).await;
    held.rollback().await.expect("let go");
    fold.await.expect("no panic").expect("folded");
    projecting.await.expect("no panic");
    assert_eq!(deadlocks(&store).await, 0);
}

/// Whoever wants both wallets and meets the lower one taken has not taken the higher one.
#[tokio::test]
async fn wallets_are_locked_from_the_lowest_account_on_whoever_locks_them_on_postgres() {
    let (store, folder, first) = with_a_wallet().await;
    let second = another_wallet(&store).await;
    let (low, high) = (first.clone().min(second.clone()), first.max(second));
    let fold = {
        let both = [transfer(1, &high), transfer(2, &low)];
        async move { drop(folder.fold(&both.each_ref()).await.expect("folded")) }
    };
    wait_for_the_lower(&store, [&low, &high], fold).await;
    let projection = {
        let (store, both) = (store.clone(), [(high.clone(), 0), (low.clone(), 0)]);
        async move {
            let tx = store.begin().await.expect("a transaction");
            release_in(&tx, &both).await;
            tx.commit().await.expect("a commit");
        }
    };
    wait_for_the_lower(&store, [&low, &high], projection).await;
}

/// Lets something that wants two wallets wait for the lower one, and takes the higher one
/// meanwhile.
async fn wait_for_the_lower(
    store: &Store,
    [low, high]: [&str; 2],
    wants_both: impl Future<Output = ()> + Send + 'static,
) {
    let held = store.begin().await.expect("a transaction");
    lock_wallet(&held, low).await;
    let wants_both = tokio::spawn(wants_both);
    waiting(store, 1, &["select \"wallets\""]).await;
    let free = store.begin().await.expect("a transaction");
    lock_wallet(&free, high).await;
    free.rollback().await.expect("let go");
    held.rollback().await.expect("let go");
    wants_both.await.expect("no panic");
}

/// Locks a wallet, if nobody else has it.
async fn lock_wallet(tx: &DatabaseTransaction, account: &str) {
    let lock = format!("select 1 from wallets where account = '{account}' for update nowait");
    tx.execute_unprepared(&lock).await.expect("free");
}

/// Operations that only the chain remembers are locked by whoever asks for them again.
/// Two folds that name two such in opposite order are let on together.
#[tokio::test]
async fn folds_that_take_up_the_same_operations_again_do_so_in_one_order_on_postgres() {
    let (store, folder, account) = with_a_wallet().await;
    let asked = [1, 2].map(|number| transfer(number, &account));
    let [low, high] = match asked[0].id.0 < asked[1].id.0 {
        true => asked,
        false => {
            let [one, other] = asked;
            [other, one]
        }
    };
    let known = [refused(&low, 1), refused(&high, 2)];
    let tx = store.begin().await.expect("a transaction");
    settle::settle_in(&tx, &known, 0).await.expect("settled");
    tx.commit().await.expect("a commit");

    // Both wait for the lower one, also the fold that names the higher one first.
    let held = store.begin().await.expect("a transaction");
    lock_operation(&held, low.id.0).await;
    let folds = [[low.clone(), high.clone()], [high.clone(), low]].map(|submissions| {
        let folder = folder.clone();
        tokio::spawn(async move { folder.fold(&submissions.each_ref()).await })
    });
    waiting(&store, 2, &["update \"operations\""]).await;
    // So the higher one is free.
    let free = store.begin().await.expect("a transaction");
    lock_operation(&free, high.id.0).await;
    free.rollback().await.expect("let go");
    held.rollback().await.expect("let go");
    for fold in folds {
        let answers = fold.await.expect("no panic").expect("folded");
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    }
    assert_eq!(deadlocks(&store).await, 0);
}

/// Locks an operation, if nobody else has it.
async fn lock_operation(tx: &DatabaseTransaction, id: Uuid) {
    let lock = format!("select 1 from operations where id = '{id}' for update nowait");
    tx.execute_unprepared(&lock).await.expect("free");
}
