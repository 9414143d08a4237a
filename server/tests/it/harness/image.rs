//! Everything in the database, to see that nothing changed.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use super::Gx;

/// What changes by itself or records the call: the audit log, failed logins, the
/// height that is looked up now and then, and
/// who holds which lease.
const LEFT_OUT: &[&str] = &[
    "audit_log",
    "audit_seal",
    "login_failures",
    "login_networks",
    "seaql_migrations",
    "height",
    "owner",
    "token",
    "lease_until_ms",
];

/// What the ledger determines; of operations also what their owners' requests bring back.
const DETERMINED: &[&str] = &[
    "directory",
    "wallets",
    "entries",
    "credits",
    "supply",
    "countries",
    "lanes",
    "blocks",
    "transactions",
    "operations",
];

/// When the server did what it did with an operation.
const OF_OPERATIONS: &[&str] = &["created_ms", "submitted_ms", "settled_ms"];
/// Who works on a lane, and what was formed there.
const OF_LANES: &[&str] = &[
    "owner",
    "token",
    "lease_until_ms",
    "formed_number",
    "formed_digest",
];

/// All rows by table, in order of their text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image(BTreeMap<String, Vec<String>>);

impl Image {
    /// The tables that differ.
    pub(crate) fn changed(&self, later: &Self) -> Vec<String> {
        let tables = self.0.iter();
        let changed = tables.filter(|(table, rows)| later.0.get(*table) != Some(rows));
        changed.map(|(table, _)| table.clone()).collect()
    }
}

impl Gx {
    /// All rows as they are now.
    pub(crate) async fn image(&self) -> Image {
        let db = self.store().await.read();
        let mut image = BTreeMap::new();
        for table in texts(db, tables(db)).await {
            if LEFT_OUT.contains(&table.as_str()) {
                continue;
            }
            let rows = rows(db, &table, LEFT_OUT).await;
            image.insert(table, rows);
        }
        assert!(image.len() >= 15, "{:?}", image.keys());
        Image(image)
    }

    /// All rows that the ledger determines, as they are now.
    pub(crate) async fn determined(&self) -> Image {
        let db = self.store().await.read();
        let mut image = BTreeMap::new();
        for table in DETERMINED {
            let left_out = match *table {
                "operations" => OF_OPERATIONS,
                "lanes" => OF_LANES,
                _ => &[],
            };
            image.insert((*table).to_owned(), rows(db, table, left_out).await);
        }
        Image(image)
    }
}

/// The rows of a table, without some columns; who owns an operation is no lease.
async fn rows(db: &DatabaseConnection, table: &str, left_out: &[&str]) -> Vec<String> {
    let columns = texts(db, &columns(db, table)).await;
    let stays = |column: &&String| {
        !left_out.contains(&column.as_str()) || (table == "operations" && *column == "owner")
    };
    let row = columns.iter().filter(stays);
    let row: Vec<_> = row.map(|column| shown(db, column)).collect();
    let rows = format!("select {} from {table} order by 1", row.join(" || '|' || "));
    texts(db, &rows).await
}

/// Every column as `table.column`.
pub(crate) async fn columns_of(db: &DatabaseConnection) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for table in texts(db, tables(db)).await {
        let columns = texts(db, &columns(db, &table)).await;
        all.extend(columns.iter().map(|column| format!("{table}.{column}")));
    }
    all
}

fn is_postgres(db: &DatabaseConnection) -> bool {
    db.get_database_backend() == DbBackend::Postgres
}

fn tables(db: &DatabaseConnection) -> &'static str {
    if is_postgres(db) {
        "select tablename::text from pg_tables where schemaname = 'public' order by 1"
    } else {
        "select name from sqlite_master where type = 'table' and name not like 'sqlite%' order by 1"
    }
}

fn columns(db: &DatabaseConnection, table: &str) -> String {
    if is_postgres(db) {
        format!(
            "select column_name::text from information_schema.columns \
             where table_name = '{table}' order by ordinal_position"
        )
    } else {
        format!("select name from pragma_table_info('{table}') order by cid")
    }
}

/// A value as text that nothing else looks like.
fn shown(db: &DatabaseConnection, column: &str) -> String {
    if is_postgres(db) {
        format!("coalesce(quote_literal(\"{column}\"::text), 'null')")
    } else {
        format!("quote(\"{column}\")")
    }
}

async fn texts(db: &DatabaseConnection, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let rows = db.query_all_raw(statement).await;
    let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let text = |row: sea_orm::QueryResult| row.try_get_by_index::<String>(0);
    let texts = rows.into_iter().map(text).collect::<Result<_, _>>();
    texts.unwrap_or_else(|error| panic!("{sql}: {error}"))
}
