//! One system under test: its process, its folder, and a test's connections.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use gx_server::{
    config::Config,
    store::{DatabaseUrl, Store},
};
use tokio::sync::OnceCell;

use super::{Client, postgres, process::Process};

/// Settings of every test: blocks come soon, and no limit is met by accident.
const SETTINGS: &[(&str, &str)] = &[
    ("GX_LEDGER__BATCH_TIMEOUT_MS", "20"),
    ("GX_LIMITS__CALLER_PER_S", "1000000"),
    ("GX_LIMITS__CALLER_BURST", "1000000"),
    ("GX_LIMITS__ADDRESS_PER_S", "1000000"),
    ("GX_LIMITS__ADDRESS_BURST", "1000000"),
    ("GX_LIMITS__PUBLIC_PER_S", "1000000"),
    ("GX_LIMITS__PUBLIC_BURST", "1000000"),
    ("GX_LIMITS__DRAIN_MS", "2000"),
    ("GX_LOGIN__WAITING", "10000"),
    ("GX_INSTANCE", "gx-test"),
];

/// What the system keeps its rows in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    /// A file in the data directory.
    Sqlite,
    /// A database of the test process's PostgreSQL.
    Postgres,
}

/// A running `gx`, as one test sees it.
#[derive(Debug)]
pub(crate) struct Gx {
    server: Arc<Server>,
    client: Client,
    store: OnceCell<Store>,
    pub(super) admin: OnceCell<Client>,
}

/// The part that outlives a test's runtime.
#[derive(Debug)]
struct Server {
    folder: PathBuf,
    settings: BTreeMap<String, String>,
    url: DatabaseUrl,
    running: Mutex<Option<(Process, Ports)>>,
    /// Whether it lives in a static, which is never dropped.
    shared: AtomicBool,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    identity: u16,
    metrics: u16,
}

/// One process for the tests of a file that do not disturb each other.
#[derive(Debug)]
pub(crate) struct Shared {
    database: Database,
    server: OnceCell<Arc<Server>>,
}

impl Shared {
    pub(crate) const fn on(database: Database) -> Self {
        Self {
            database,
            server: OnceCell::const_new(),
        }
    }

    /// The process, started by whoever comes first.
    pub(crate) async fn gx(&self) -> Gx {
        let start = || async {
            let server = Server::start(self.database, &[]).await;
            server.shared.store(true, Ordering::Relaxed);
            Arc::new(server)
        };
        Gx::of(self.server.get_or_init(start).await.clone())
    }
}

impl Gx {
    /// Starts a system of the test's own.
    pub(crate) async fn start(database: Database) -> Self {
        Self::start_with(database, &[]).await
    }

    /// Starts it with settings, as variables.
    pub(crate) async fn start_with(database: Database, settings: &[(&str, &str)]) -> Self {
        Self::of(Arc::new(Server::start(database, settings).await))
    }

    fn of(server: Arc<Server>) -> Self {
        let port = server.ports().identity;
        Self {
            client: Client::to(port),
            server,
            store: OnceCell::new(),
            admin: OnceCell::new(),
        }
    }

    /// Stops it as an operator does, and waits for its end.
    pub(crate) async fn stop(&mut self) -> ExitStatus {
        self.end("TERM").await
    }

    /// Kills it at whatever it is doing.
    pub(crate) async fn kill(&mut self) -> ExitStatus {
        self.end("KILL").await
    }

    /// Waits until it ends by itself.
    #[expect(dead_code, reason = "for tests whose process kills itself")]
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let server = self.server.clone();
        blocking(move || server.end(None)).await
    }

    /// Waits until it has written a line with these words.
    pub(crate) async fn said(&self, words: &str) {
        let (server, words) = (self.server.clone(), words.to_owned());
        blocking(move || {
            let running = server.lock();
            let (process, _) = running.as_ref().expect("gx runs");
            if let Err(log) = process.wait_for(&words) {
                panic!("gx does not say {words}:\n{log}");
            }
        })
        .await;
    }

    /// Runs a tool of the binary beside it; whether it ended well, and what it wrote.
    pub(crate) async fn tool(&self, arguments: &[&str]) -> (bool, String) {
        let server = self.server.clone();
        let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
        blocking(move || {
            let output = Command::new(env!("CARGO_BIN_EXE_gx"))
                .args(arguments)
                .env_clear()
                .envs(&server.settings)
                .output()
                .expect("a tool");
            let written = [output.stdout, output.stderr].concat();
            (
                output.status.success(),
                String::from_utf8_lossy(&written).into_owned(),
            )
        })
        .await
    }

    /// Starts it again where it was, with other settings beside the first ones.
    pub(crate) async fn restart_with(&mut self, settings: &[(&str, &str)]) {
        let (server, settings) = (self.server.clone(), owned(settings));
        blocking(move || server.run(&settings)).await;
        self.client = Client::to(self.server.ports().identity);
        self.admin = OnceCell::new();
    }

    /// Starts it again where it was.
    pub(crate) async fn restart(&mut self) {
        self.restart_with(&[]).await;
    }

    async fn end(&mut self, signal: &'static str) -> ExitStatus {
        let server = self.server.clone();
        blocking(move || server.end(Some(signal))).await
    }

    /// A client without a token.
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    /// A client with a connection of its own.
    pub(crate) fn connect(&self) -> Client {
        Client::to(self.server.ports().identity)
    }

    /// The port that serves everything.
    pub(crate) fn port(&self) -> u16 {
        self.server.ports().identity
    }

    pub(super) fn metrics_port(&self) -> u16 {
        self.server.ports().metrics
    }

    pub(crate) fn data_dir(&self) -> &Path {
        &self.server.folder
    }

    /// The database that it uses.
    pub(crate) async fn store(&self) -> &Store {
        let open = || async { Store::open(&self.server.url).await.expect("the database") };
        self.store.get_or_init(open).await
    }

    /// The settings that it runs with.
    pub(crate) fn config(&self) -> Config {
        Config::from_sources(None, self.server.settings.clone()).expect("settings")
    }
}

impl Drop for Gx {
    fn drop(&mut self) {
        if std::thread::panicking() && self.server.shared.load(Ordering::Relaxed) {
            eprintln!("--- log of gx\n{}\n---", self.server.log());
        }
    }
}

impl Server {
    async fn start(database: Database, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new().prefix("gx-test-").tempdir();
        let folder = folder.expect("a folder").keep();
        let mut all: BTreeMap<String, String> =
            owned(SETTINGS).into_iter().chain(owned(settings)).collect();
        let path = folder.display().to_string();
        all.insert("GX_DATA_DIR".to_owned(), path);
        let url = match database {
            Database::Sqlite => DatabaseUrl::SqliteFile(folder.join("gx.sqlite")),
            Database::Postgres => {
                let url = postgres::database().await;
                all.insert("GX_DATABASE__URL".to_owned(), url.clone());
                DatabaseUrl::Postgres(url.into())
            }
        };
        let server = Self {
            folder,
            settings: all,
            url,
            running: Mutex::default(),
            shared: AtomicBool::new(false),
        };
        blocking(move || {
            server.run(&[]);
            server
        })
        .await
    }

    fn run(&self, settings: &[(String, String)]) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gx"));
        command
            .args(["--listen-base", "0"])
            .env_clear()
            .env("NO_COLOR", "1")
            .env("RUST_BACKTRACE", "1")
            .envs(&self.settings)
            .envs(settings.iter().cloned())
            .current_dir(&self.folder);
        let process = Process::start(&mut command, "KILL", &self.folder);
        if let Err(log) = process.wait_for("GX listens") {
            panic!("gx does not start:\n{log}");
        }
        let ports = Ports::read(&self.folder);
        *self.lock() = Some((process, ports));
    }

    fn end(&self, signal: Option<&str>) -> ExitStatus {
        let (mut process, _) = self.lock().take().expect("gx runs");
        if let Some(signal) = signal {
            process.signal(signal);
        }
        process.wait()
    }

    fn ports(&self) -> Ports {
        self.lock().as_ref().expect("gx runs").1
    }

    fn log(&self) -> String {
        let running = self.lock();
        running
            .as_ref()
            .map_or_else(String::new, |(process, _)| process.log())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Process, Ports)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.lock().take());
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Ports {
    fn read(folder: &Path) -> Self {
        let text = std::fs::read(folder.join("ports.json")).expect("ports.json");
        let ports: BTreeMap<String, u16> = serde_json::from_slice(&text).expect("ports");
        Self {
            identity: ports["identity"],
            metrics: ports["metrics"],
        }
    }
}

fn owned(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    settings.iter().map(owned).collect()
}

/// Waits for processes away from the threads that drive the test.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(broken) => std::panic::resume_unwind(broken.into_panic()),
    }
}
