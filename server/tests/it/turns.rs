//! What waits for what on PostgreSQL, where many transactions write at once. Each
//! test holds one transaction open by hand, and goes on when the others are seen to
//! wait.

use std::time::Duration;

use futures::future::join;
use gx_proto::gx::identity::v1::StartRegistrationRequest;
use gx_server::store::Store;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::harness::{Database, Gx, unused_contact};

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
