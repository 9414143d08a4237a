//! One PostgreSQL for the test process, and a database a test. Its collation is a
//! language's, so that an order which the database must not choose shows.

use std::{
    fs::{DirBuilder, Permissions},
    net::TcpListener,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use sea_orm::{ConnectionTrait, Database};

use super::process::Process;

const BINARIES: &str = "/usr/lib/postgresql/15/bin";

/// A running PostgreSQL; it ends when it is dropped.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) port: u16,
    _process: Process,
}

/// Makes an empty database and answers its URL.
pub(crate) async fn database() -> String {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let port = tokio::task::spawn_blocking(|| CLUSTER.get_or_init(start).port)
        .await
        .expect("PostgreSQL");
    let address = format!("postgres://postgres@127.0.0.1:{port}");
    let name = format!("gx_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let server = Database::connect(format!("{address}/postgres")).await;
    let server = server.expect("a connection");
    let create = format!("create database {name}");
    let made = server.execute_unprepared(&create).await;
    made.expect("a database");
    server.close().await.expect("a connection");
    format!("{address}/{name}")
}

fn start() -> Cluster {
    let (folder, data) = folders();
    initialize(&data, owner());
    start_on(&folder, &data, &[])
}

/// A folder, and in it one that PostgreSQL owns.
pub(super) fn folders() -> (PathBuf, PathBuf) {
    let folder = tempfile::Builder::new().prefix("gx-postgres-").tempdir();
    let folder = folder.expect("a folder").keep();
    let data = folder.join("data");
    DirBuilder::new().mode(0o700).create(&data).expect("data");
    std::fs::set_permissions(&folder, Permissions::from_mode(0o755)).expect("a folder");
    if let Some((uid, gid)) = owner() {
        chown(&data, Some(uid), Some(gid)).expect("postgres owns its data");
    }
    (folder, data)
}

/// Starts PostgreSQL on data that is there, with more settings.
pub(super) fn start_on(folder: &Path, data: &Path, settings: &[&str]) -> Cluster {
    let mut failures = Vec::new();
    // The port may be taken between its choice and its use.
    for _ in 0..5 {
        match run(folder, data, settings) {
            Ok(cluster) => return cluster,
            Err(log) => failures.push(log),
        }
    }
    panic!("PostgreSQL does not start:\n{}", failures.join("\n"));
}

/// Who runs PostgreSQL: it refuses to run as root.
pub(super) fn owner() -> Option<(u32, u32)> {
    let we_are_root = std::fs::metadata("/proc/self").expect("/proc").uid() == 0;
    we_are_root.then(|| {
        let users = std::fs::read_to_string("/etc/passwd").expect("users");
        let line = users.lines().find(|line| line.starts_with("postgres:"));
        let fields: Vec<_> = line.expect("a user postgres").split(':').collect();
        let number = |index: usize| fields[index].parse().expect("a number");
        (number(2), number(3))
    })
}

pub(super) fn program(name: &str, owner: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(PathBuf::from(BINARIES).join(name));
    command.env_clear().current_dir("/");
    if let Some((uid, gid)) = owner {
        command.uid(uid).gid(gid);
    }
    command
}

pub(super) fn initialize(data: &Path, owner: Option<(u32, u32)>) {
    let made = program("initdb", owner)
        .args(["--auth=trust", "--no-sync", "--username=postgres"])
        .args(["--encoding=UTF8", "--locale=C.UTF-8"])
        .args(["--locale-provider=icu", "--icu-locale=en-US"])
        .arg("--pgdata")
        .arg(data)
        .output()
        .expect("initdb; install postgresql");
    assert!(
        made.status.success(),
        "initdb: {}",
        String::from_utf8_lossy(&made.stderr)
    );
}

fn run(folder: &Path, data: &Path, settings: &[&str]) -> Result<Cluster, String> {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = free.expect("a free port").port();
    let mut command = program("postgres", owner());
    command.arg("-D").arg(data).args(["-p", &port.to_string()]);
    for setting in [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=500",
        "shared_buffers=32MB",
        "fsync=off",
        "full_page_writes=off",
        "autovacuum=off",
    ]
    .iter()
    .chain(settings)
    {
        command.args(["-c", setting]);
    }
    let process = Process::start(&mut command, "QUIT", folder);
    // A standby says "ready to accept read-only connections".
    process.wait_for("ready to accept")?;
    Ok(Cluster {
        port,
        _process: process,
    })
}
