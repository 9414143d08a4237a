//! A first start leaves a system that answers, on either database, in one process or six.

use crate::harness::{Database, Gx};

const MAXIMUM_QIRAT: u64 = 1_250_000_000_000_000_000;

async fn first_start_has_the_whole_supply(database: Database) {
    let mut gx = Gx::start(database).await;
    let supply = gx.supply(0).await;
    assert_eq!(supply.maximum_qirat, MAXIMUM_QIRAT);
    assert_eq!(supply.pools_qirat, MAXIMUM_QIRAT);
    assert_eq!((supply.treasuries_qirat, supply.circulating_qirat), (0, 0));
    let names: Vec<_> = supply.pools.iter().map(|pool| &pool.account).collect();
    assert!(names.is_sorted() && names.len() == 6, "{names:?}");
    assert_eq!(gx.ready().await.0, 200);
    assert!(gx.stop().await.success());
}

#[tokio::test]
async fn first_start_on_sqlite_has_the_whole_supply() {
    first_start_has_the_whole_supply(Database::Sqlite).await;
}

#[tokio::test]
async fn first_start_on_postgres_has_the_whole_supply() {
    first_start_has_the_whole_supply(Database::Postgres).await;
}

#[tokio::test]
async fn first_start_on_six_processes_has_the_whole_supply() {
    first_start_has_the_whole_supply(Database::PostgresApart).await;
}
