//! Backups of a system's database, made and put back as an operator does it: SQLite's
//! own copy of a file, and PostgreSQL's programs.

use std::{fs::File, path::PathBuf};

use gx_server::store::DatabaseUrl;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use secrecy::ExposeSecret;

use super::{Gx, postgres, server::blocking};

/// A backup in the data directory.
#[derive(Debug)]
pub(crate) struct Backup(PathBuf);

impl Gx {
    /// Saves the database while gx runs.
    pub(crate) async fn back_up(&self) -> Backup {
        let path = self.data_dir().join("backup");
        match self.database_url() {
            DatabaseUrl::Postgres(url) => {
                let file = File::create(&path).expect("a file");
                let url = url.expose_secret().to_owned();
                blocking(move || dump(&url, file)).await;
            }
            _ => {
                let into = format!("vacuum into '{}'", path.display());
                execute(self.store().await.write(), &into).await;
            }
        }
        Backup(path)
    }

    /// Puts the database of a stopped gx back to a backup.
    pub(crate) async fn restore(&mut self, backup: &Backup) {
        self.close_store().await;
        match self.database_url() {
            DatabaseUrl::Postgres(url) => {
                let url = url.expose_secret().to_owned();
                let (server, name) = url.rsplit_once('/').expect("a database");
                let server = Database::connect(format!("{server}/postgres")).await;
                let server = server.expect("a connection");
                execute(&server, &format!("drop database {name}")).await;
                execute(&server, &format!("create database {name}")).await;
                let file = File::open(&backup.0).expect("the backup");
                blocking(move || put_back(&url, file)).await;
            }
            DatabaseUrl::SqliteFile(path) => {
                for end in ["-wal", "-shm"] {
                    let _ = std::fs::remove_file(format!("{}{end}", path.display()));
                }
                std::fs::copy(&backup.0, path).expect("copied");
            }
            DatabaseUrl::SqliteMemory => unreachable!("no process shares its memory"),
        }
    }
}

fn dump(url: &str, to: File) {
    let done = postgres::program("pg_dump", postgres::owner())
        .args(["--format=custom", "--dbname", url])
        .stdout(to)
        .status();
    assert!(done.expect("pg_dump").success());
}

fn put_back(url: &str, from: File) {
    let done = postgres::program("pg_restore", postgres::owner())
        .args(["--exit-on-error", "--single-transaction", "--dbname", url])
        .stdin(from)
        .status();
    assert!(done.expect("pg_restore").success());
}

async fn execute(db: &DatabaseConnection, statement: &str) {
    let done = db.execute_unprepared(statement).await;
    done.unwrap_or_else(|error| panic!("{statement}: {error}"));
}
