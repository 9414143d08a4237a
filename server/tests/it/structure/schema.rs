//! The schema is the same on both databases, and migrating twice is migrating once.

use std::collections::BTreeSet;

use gx_server::store::{DatabaseUrl, Store};

use crate::harness::{columns_of, postgres_database};

async fn schema(url: &DatabaseUrl) -> BTreeSet<String> {
    Store::open(url).await.expect("migrated");
    let again = Store::open(url).await.expect("migrated already");
    columns_of(again.read()).await
}

#[tokio::test]
async fn migrations_make_the_same_schema_on_both_databases() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = DatabaseUrl::SqliteFile(folder.path().join("gx.sqlite"));
    let postgres = DatabaseUrl::Postgres(postgres_database().await.into());
    let (sqlite, postgres) = (schema(&sqlite).await, schema(&postgres).await);
    assert!(sqlite.len() > 100, "{sqlite:#?}");
    assert_eq!(sqlite, postgres);
}
