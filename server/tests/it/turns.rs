//! What waits for what on PostgreSQL, where many transactions write at once. Each
//! test holds one transaction open by hand, and goes on when the others are seen to
//! wait.

use std::time::Duration;

use futures::future::join;
use gx_proto::gx::identity::v1::StartRegistrationRequest;
use gx_server::{
    outbox::{catching_up, entity::control},
    store::{DatabaseUrl, Lock, Store},
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, Set, Statement};

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
