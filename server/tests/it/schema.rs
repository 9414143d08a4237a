//! Each migration only expands what was there, so that the program before it runs on
//! the schema after it, while roles are replaced one by one: no column that it reads or
//! writes goes or changes, and what is added needs nothing of its inserts.

use std::collections::BTreeMap;

use futures::future::join_all;
use gx_migrations::Migrator;
use gx_server::store::{self, DatabaseUrl, Places, Store};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use sea_orm_migration::MigratorTrait;

use crate::harness::postgres_database;

/// A column: its type, and whether an insert must name it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    kind: String,
    is_needed: bool,
}

type Columns = BTreeMap<(String, String), Column>;

const SQLITE: &str = "select m.name, c.name, c.type, \
     c.\"notnull\" = 1 and c.dflt_value is null and c.pk = 0 \
     from sqlite_master m join pragma_table_info(m.name) c where m.type = 'table'";

const POSTGRES: &str = "select table_name::text, column_name::text, data_type::text, \
     is_nullable = 'NO' and column_default is null and is_identity = 'NO' \
     from information_schema.columns where table_schema = 'public'";

async fn columns(db: &DatabaseConnection) -> Columns {
    let backend = db.get_database_backend();
    let query = match backend {
        DbBackend::Sqlite => SQLITE,
        _ => POSTGRES,
    };
    let rows = db.query_all_raw(Statement::from_string(backend, query));
    let rows = rows.await.expect("columns").into_iter();
    rows.map(|row| {
        let text = |index| row.try_get_by_index::<String>(index).expect("a name");
        let column = Column {
            kind: text(2),
            is_needed: row.try_get_by_index(3).expect("a flag"),
        };
        ((text(0), text(1)), column)
    })
    .collect()
}

/// What of a schema the next one does not keep.
fn broken(before: &Columns, after: &Columns) -> Vec<String> {
    let mut broken = Vec::new();
    for ((table, name), column) in before {
        match after.get(&(table.clone(), name.clone())) {
            None => broken.push(format!("{table}.{name} is gone")),
            Some(now) if now.kind != column.kind => {
                broken.push(format!(
                    "{table}.{name} was {}, is {}",
                    column.kind, now.kind
                ));
            }
            Some(now) if now.is_needed && !column.is_needed => {
                broken.push(format!("{table}.{name} must be written now"));
            }
            Some(_) => {}
        }
    }
    let tables: Vec<_> = before.keys().map(|(table, _)| table).collect();
    for ((table, name), column) in after {
        let is_new = !before.contains_key(&(table.clone(), name.clone()));
        if is_new && column.is_needed && tables.contains(&table) {
            broken.push(format!("{table}.{name} is new and must be written"));
        }
    }
    broken
}

async fn every_step_only_expands(db: DatabaseConnection) {
    let mut before = Columns::new();
    for migration in Migrator::migrations() {
        Migrator::up(&db, Some(1)).await.expect("migrated");
        let after = columns(&db).await;
        assert!(after.len() > before.len() || after == before);
        let broken = broken(&before, &after);
        assert!(broken.is_empty(), "{}: {broken:?}", migration.name());
        before = after;
    }
    assert!(before.len() > 100, "{} columns", before.len());
}

#[tokio::test]
async fn migrations_only_expand_on_sqlite() {
    let mut options = sea_orm::ConnectOptions::new("sqlite::memory:");
    options.max_connections(1);
    every_step_only_expands(Database::connect(options).await.expect("a database")).await;
}

#[tokio::test]
async fn migrations_only_expand_on_postgres() {
    let db = Database::connect(postgres_database().await).await;
    every_step_only_expands(db.expect("a database")).await;
}

/// Whoever may lock the control row may not move it or add another.
async fn the_control_row_is_one(url: &str) {
    let mut options = sea_orm::ConnectOptions::new(url);
    options.max_connections(1);
    let db = Database::connect(options).await.expect("a database");
    Migrator::up(&db, None).await.expect("migrated");
    let row = |id: i32| {
        format!("insert into control (id, partner_lanes, partitions) values ({id}, 16, 2)")
    };
    db.execute_unprepared(&row(1)).await.expect("the one row");
    let same = "update control set id = 1, mark = 1";
    db.execute_unprepared(same).await.expect("it stays");
    for change in [row(2).as_str(), "update control set id = 2"] {
        let refused = db.execute_unprepared(change).await.expect_err(change);
        assert!(refused.to_string().contains("control_one_row"), "{refused}");
    }
}

#[tokio::test]
async fn there_is_one_control_row_on_sqlite() {
    the_control_row_is_one("sqlite::memory:").await;
}

#[tokio::test]
async fn there_is_one_control_row_on_postgres() {
    the_control_row_is_one(&postgres_database().await).await;
}

#[tokio::test]
async fn no_index_offers_a_lane_s_oldest_commands_among_all_others_on_postgres() {
    let db = Database::connect(postgres_database().await).await;
    let db = db.expect("a database");
    Migrator::up(&db, None).await.expect("migrated");
    let text = "select indexdef from pg_indexes where tablename = 'outbox' order by indexname";
    let rows = db.query_all_raw(Statement::from_string(DbBackend::Postgres, text));
    let rows = rows.await.expect("indexes").into_iter();
    let columns = |definition: &str| definition.split(" USING btree ").nth(1).map(str::to_owned);
    let indexes: Vec<_> = rows
        .filter_map(|row| columns(&row.try_get_by_index::<String>(0).expect("an index")))
        .collect();
    let expected = [
        "(lane, number) WHERE (number IS NOT NULL)",
        "(lane, \"position\") WHERE (number IS NULL)",
        "(id)",
    ];
    assert_eq!(
        indexes, expected,
        "one of positions alone is taken while a table is empty, one of all numbers when few wait"
    );
}

#[tokio::test]
async fn processes_that_start_at_once_migrate_once_on_postgres() {
    let url = DatabaseUrl::Postgres(postgres_database().await.into());
    let places = Places {
        url: url.clone(),
        copy: None,
        migrate: false,
    };
    let refused = Store::open_at(&places)
        .await
        .expect_err("an older schema")
        .to_string();
    assert!(refused.contains("gx migrate"), "{refused}");

    let starts = (0..6).map(|_| store::migrate(&url));
    let done = join_all(starts).await.into_iter();
    let applied: Vec<_> = done.flat_map(|done| done.expect("migrated")).collect();
    assert_eq!(applied.len(), Migrator::migrations().len());
}

#[test]
fn what_a_migration_breaks_is_named() {
    let column = |kind: &str, is_needed| Column {
        kind: kind.to_owned(),
        is_needed,
    };
    let schema = |columns: &[(&str, Column)]| -> Columns {
        let of = |(name, column): &(&str, Column)| {
            (("t".to_owned(), (*name).to_owned()), column.clone())
        };
        columns.iter().map(of).collect()
    };
    let before = schema(&[
        ("gone", column("text", false)),
        ("kind", column("text", false)),
        ("need", column("text", false)),
        ("stays", column("text", true)),
    ]);
    let after = schema(&[
        ("kind", column("bigint", false)),
        ("need", column("text", true)),
        ("stays", column("text", false)),
        ("new", column("text", true)),
        ("free", column("text", false)),
    ]);
    let expected = [
        "t.gone is gone",
        "t.kind was text, is bigint",
        "t.need must be written now",
        "t.new is new and must be written",
    ];
    assert_eq!(broken(&before, &after), expected);
}
