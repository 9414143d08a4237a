//! A PostgreSQL with a standby that follows it, behind one address that leads to
//! whichever is the primary, as a Service of Kubernetes does.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use tokio::net::{TcpListener, TcpStream};

use super::{
    postgres::{self, Cluster},
    server::blocking,
};

/// Whether a commit waits until the standby has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replication {
    Synchronous,
    Asynchronous,
}

/// A primary and its standby.
#[derive(Debug)]
pub(crate) struct Pair {
    primary: Option<Cluster>,
    standby: Option<Cluster>,
    target: Arc<AtomicU16>,
    address: u16,
    folders: [PathBuf; 2],
}

impl Pair {
    pub(crate) async fn start(replication: Replication) -> Self {
        let (primary, standby, folders) = blocking(move || clusters(replication)).await;
        let target = Arc::new(AtomicU16::new(primary.port));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").port();
        tokio::spawn(forward(listener, target.clone()));
        let pair = Self {
            primary: Some(primary),
            standby: Some(standby),
            target,
            address,
            folders,
        };
        let server = pair.query(pair.address, "postgres").await;
        execute(&server, "create database gx").await;
        pair
    }

    /// The address that leads to the primary.
    pub(crate) fn url(&self) -> String {
        url(self.address, "gx")
    }

    /// The address of the standby.
    pub(crate) fn standby_url(&self) -> String {
        url(self.standby_port(), "gx")
    }

    /// The standby keeps what it has and shows nothing later, or goes on.
    pub(crate) async fn hold(&self, holds: bool) {
        let change = if holds { "pause" } else { "resume" };
        let standby = self.query(self.standby_port(), "postgres").await;
        execute(&standby, &format!("select pg_wal_replay_{change}()")).await;
    }

    /// Lets the standby sleep, so that it misses what is committed meanwhile.
    pub(crate) async fn cut(&self) {
        let primary = self.query(self.address, "postgres").await;
        // Its sender on the primary's side would hold what it was to be told.
        let standby = self.query(self.standby_port(), "postgres").await;
        execute(&standby, "alter system set primary_conninfo = ''").await;
        execute(&standby, "select pg_reload_conf()").await;
        let senders = "select pg_terminate_backend(pid) from pg_stat_replication";
        execute(&primary, senders).await;
    }

    /// Leads whoever connects from now on to the standby, as a name does that is behind.
    pub(crate) fn mislead(&self) {
        self.target.store(self.standby_port(), Ordering::SeqCst);
    }

    /// Kills the standby, and waits until it is gone.
    pub(crate) async fn lose_standby(&mut self) {
        let standby = self.standby.take().expect("a standby");
        blocking(move || drop(standby)).await;
    }

    /// Kills the primary, makes the standby one, and leads everybody there.
    pub(crate) async fn fail_over(&mut self) {
        let primary = self.primary.take().expect("a primary");
        blocking(move || drop(primary)).await;
        let standby = self.query(self.standby_port(), "postgres").await;
        execute(&standby, "select pg_promote()").await;
        self.target.store(self.standby_port(), Ordering::SeqCst);
    }

    fn standby_port(&self) -> u16 {
        self.standby.as_ref().expect("a standby").port
    }

    async fn query(&self, port: u16, database: &str) -> DatabaseConnection {
        let connection = Database::connect(url(port, database)).await;
        connection.expect("a connection")
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        drop(self.primary.take());
        drop(self.standby.take());
        for folder in &self.folders {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

fn url(port: u16, database: &str) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/{database}")
}

async fn execute(server: &DatabaseConnection, statement: &str) {
    let done = server.execute_unprepared(statement).await;
    done.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

fn clusters(replication: Replication) -> (Cluster, Cluster, [PathBuf; 2]) {
    let (folder, data) = postgres::folders();
    postgres::initialize(&data, postgres::owner());
    let primary = postgres::start_on(&folder, &data, &[]);
    let (copy_folder, copy_data) = postgres::folders();
    let copied = postgres::program("pg_basebackup", postgres::owner())
        .args(["--host=127.0.0.1", "--username=postgres"])
        .args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"])
        .arg(format!("--port={}", primary.port))
        .arg("--pgdata")
        .arg(&copy_data)
        .output()
        .expect("pg_basebackup");
    assert!(copied.status.success(), "{copied:?}");
    let standby = postgres::start_on(&copy_folder, &copy_data, &[]);
    if replication == Replication::Synchronous {
        let set = postgres::program("psql", postgres::owner())
            .args(["--host=127.0.0.1", "--username=postgres"])
            .arg(format!("--port={}", primary.port))
            .args([
                "--command",
                "alter system set synchronous_standby_names = '*'",
            ])
            .args(["--command", "select pg_reload_conf()"])
            .output()
            .expect("psql");
        assert!(set.status.success(), "{set:?}");
    }
    (primary, standby, [folder, copy_folder])
}

/// Leads every connection to the target of its moment.
async fn forward(listener: TcpListener, target: Arc<AtomicU16>) {
    while let Ok((mut near, _)) = listener.accept().await {
        let target = target.clone();
        tokio::spawn(async move {
            let port = target.load(Ordering::SeqCst);
            if let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)).await {
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        });
    }
}
