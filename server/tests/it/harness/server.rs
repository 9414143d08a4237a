//! The part of a system under test that outlives a test's runtime: the process and
//! its folder.

use std::{
    collections::BTreeMap,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
};

use gx_fabric::devnet::Connection;
use gx_server::store::DatabaseUrl;

use super::{ports::Ports, postgres, process::Process, redis::Redis};

/// Settings of every test: blocks come soon, and no limit is met by accident.
const SETTINGS: &[(&str, &str)] = &[
    ("GX_DEVNET__BATCH_TIMEOUT_MS", "20"),
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

/// What a process says when it has started.
pub(super) const LISTENS: &str = "GX listens";

/// What the system keeps its rows in, and how it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    /// A file in the data directory.
    Sqlite,
    /// A database of the test process's PostgreSQL.
    Postgres,
    /// The same, shared by six processes, a role each.
    PostgresApart,
}

/// The processes of a system in the order of their start, as arguments of `gx`; those
/// behind the third wait until the system is bootstrapped.
const APART: [(&str, &str); 6] = [
    ("devnet", "devnet"),
    ("submitter", "outbox-submitter"),
    ("projector", "projector"),
    ("identity", "svc-identity"),
    ("wallet", "svc-wallet"),
    ("tokenomics", "svc-tokenomics"),
];

/// The part that outlives a test's runtime.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) folder: PathBuf,
    pub(super) settings: BTreeMap<String, String>,
    pub(super) url: DatabaseUrl,
    is_apart: bool,
    running: Mutex<Option<(Vec<Process>, Ports)>>,
    /// A Redis of its own that its test did not ask for.
    pub(super) redis: Option<Arc<Redis>>,
    /// Whether it lives in a static, which is never dropped.
    pub(super) shared: AtomicBool,
}

impl Server {
    pub(super) async fn start(database: Database, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new().prefix("gx-test-").tempdir();
        let folder = folder.expect("a folder").keep();
        let mut all: BTreeMap<String, String> =
            owned(SETTINGS).into_iter().chain(owned(settings)).collect();
        let path = folder.display().to_string();
        all.insert("GX_DATA_DIR".to_owned(), path);
        let url = match (database, all.get("GX_DATABASE__URL").cloned()) {
            // A database of the test's own.
            (_, Some(given)) => DatabaseUrl::Postgres(given.into()),
            (Database::Sqlite, None) => DatabaseUrl::SqliteFile(folder.join("gx.sqlite")),
            (Database::Postgres | Database::PostgresApart, None) => {
                let url = postgres::database().await;
                all.insert("GX_DATABASE__URL".to_owned(), url.clone());
                DatabaseUrl::Postgres(url.into())
            }
        };
        let redis = match database {
            Database::Postgres | Database::PostgresApart if !all.contains_key("GX_REDIS__URL") => {
                Redis::of_every_system()
            }
            _ => None,
        };
        if let Some(redis) = &redis {
            all.insert("GX_REDIS__URL".to_owned(), redis.url());
            all.insert("GX_REDIS__TIMEOUT_MS".to_owned(), "10000".to_owned());
        }
        let server = Self {
            folder,
            settings: all,
            redis,
            url,
            is_apart: database == Database::PostgresApart,
            running: Mutex::default(),
            shared: AtomicBool::new(false),
        };
        blocking(move || {
            server.run(&[]);
            server
        })
        .await
    }

    pub(super) fn run(&self, settings: &[(String, String)]) {
        let started = match self.is_apart {
            true => self.run_apart(settings),
            false => {
                let process = self.process(&[], settings);
                listens(&process, "gx");
                (vec![process], self.read_ports())
            }
        };
        *self.lock() = Some(started);
    }

    fn run_apart(&self, settings: &[(String, String)]) -> (Vec<Process>, Ports) {
        let (workers, services) = APART.split_at(3);
        let mut processes = Vec::new();
        for (role, _) in workers {
            let process = self.process(&[role], settings);
            listens(&process, role);
            processes.push(process);
        }
        let (done, told) = self.tool(&["bootstrap".to_owned()]);
        assert!(done, "{told}");
        let services = services
            .iter()
            .map(|(role, _)| (role, self.process(&[role], settings)));
        for (role, process) in services.collect::<Vec<_>>() {
            listens(&process, role);
            processes.push(process);
        }
        (processes, self.read_ports())
    }

    fn read_ports(&self) -> Ports {
        match self.is_apart {
            true => {
                let files = APART.map(|(_, name)| format!("{name}.ports.json"));
                Ports::read(&self.folder, &files)
            }
            false => Ports::read(&self.folder, &["ports.json".to_owned()]),
        }
    }

    /// Where a role's process stands among those that run; one that has all is the only
    /// one.
    fn place(&self, role: &str) -> usize {
        let found = APART.iter().position(|(known, _)| *known == role);
        let place = found.expect("a role");
        if self.is_apart { place } else { 0 }
    }

    fn process(&self, role: &[&str], settings: &[(String, String)]) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gx"));
        command
            .args(["--listen-base", "0"])
            .args(role)
            .env_clear()
            .env("NO_COLOR", "1")
            .env("RUST_BACKTRACE", "1")
            .envs(&self.settings)
            .envs(settings.iter().cloned())
            .current_dir(&self.folder);
        Process::start(&mut command, "KILL", &self.folder)
    }

    /// Ends all processes by a signal, services first, and waits until they have ended;
    /// the first failure, if one failed.
    pub(super) fn end(&self, signal: &str) -> ExitStatus {
        let (mut processes, _) = self.lock().take().expect("gx runs");
        let mut ended = Vec::new();
        for process in processes.iter_mut().rev() {
            process.signal(signal);
            ended.push(process.wait());
        }
        let failed = ended.iter().find(|status| !status.success());
        *failed.unwrap_or(&ended[0])
    }

    /// Ends the process of a role by a signal, and starts it again with other settings
    /// beside the first ones, until it has written these words; how it ended.
    pub(super) fn replace(
        &self,
        role: &str,
        signal: &str,
        settings: &[(String, String)],
        words: &str,
    ) -> ExitStatus {
        let (mut processes, ports) = self.lock().take().expect("gx runs");
        let process = &mut processes[self.place(role)];
        process.signal(signal);
        let ended = process.wait();
        let arguments: &[&str] = if self.is_apart { &[role] } else { &[] };
        *process = self.process(arguments, settings);
        says(process, role, words);
        let ports = match words {
            LISTENS => self.read_ports(),
            _ => ports,
        };
        *self.lock() = Some((processes, ports));
        ended
    }

    /// Starts a role beside a system of six processes, under a name of its own and in a
    /// folder that is called so; it finds the devnet as any network, by settings, and speaks to the
    /// gateway of the second organization.
    pub(super) fn beside(&self, role: &str, name: &str) -> Process {
        let folder = self.folder.join(name);
        let connection = self.folder.join("devnet/connection.json");
        let connection = std::fs::read(connection).expect("a devnet");
        let connection: Connection = serde_json::from_slice(&connection).expect("a connection");
        let (own, other) = (&connection.orgs["org1"], &connection.orgs["org2"]);
        let mut all = Vec::new();
        let mut set = |key: &str, value: String| all.push((key.to_owned(), value));
        set("GX_DATA_DIR", folder.display().to_string());
        set("GX_INSTANCE", name.to_owned());
        set("GX_FABRIC__PEERS", other.gateway.clone());
        set("GX_FABRIC__SERVER_NAME", other.tls_server_name.clone());
        set("GX_FABRIC__TLS_CA_FILE", other.tls_ca.display().to_string());
        for name in ["partner", "admin", "super_admin"] {
            let files = &own.identities[name];
            let key = format!("GX_FABRIC__IDENTITY__{}", name.to_uppercase());
            set(
                &format!("{key}__CERTIFICATE_FILE"),
                files.cert.display().to_string(),
            );
            set(&format!("{key}__KEY_FILE"), files.key.display().to_string());
        }
        share_keys(&self.folder, &folder);
        let process = self.process(&[role], &all);
        listens(&process, role);
        process
    }

    /// Waits until the process of a role has written a line with these words.
    pub(super) fn said_by(&self, role: &str, words: &str) {
        let running = self.lock();
        let (processes, _) = running.as_ref().expect("gx runs");
        if let Err(log) = processes[self.place(role)].wait_for(words) {
            panic!("{role} does not say {words}:\n{log}");
        }
    }

    /// Tells the process of a role to end, and does not wait for it.
    pub(super) fn terminate(&self, role: &str) {
        let running = self.lock();
        let (processes, _) = running.as_ref().expect("gx runs");
        processes[self.place(role)].signal("TERM");
    }

    /// Stops the process of a role where it stands.
    pub(super) fn halt(&self, role: &str) {
        let running = self.lock();
        let (processes, _) = running.as_ref().expect("gx runs");
        processes[self.place(role)].halt();
    }

    /// Lets a process go on that was stopped.
    pub(super) fn let_go(&self, role: &str) {
        let running = self.lock();
        let (processes, _) = running.as_ref().expect("gx runs");
        processes[self.place(role)].signal("CONT");
    }

    /// Runs a tool of the binary beside it; whether it ended well, and what it wrote.
    pub(super) fn tool(&self, arguments: &[String]) -> (bool, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_gx"))
            .args(arguments)
            .env_clear()
            .envs(&self.settings)
            .output()
            .expect("a tool");
        let written = [output.stdout, output.stderr].concat();
        let written = String::from_utf8_lossy(&written).into_owned();
        (output.status.success(), written)
    }

    /// Starts a tool that stands still at a point, of those to `kill` or to `stop` at.
    #[cfg(feature = "simulation")]
    pub(super) fn standing_tool(&self, arguments: &[String], kind: &str, point: &str) -> Process {
        let switch = format!("{}_POINT", kind.to_uppercase());
        let mut command = Command::new(env!("CARGO_BIN_EXE_gx"));
        command.args(arguments).env_clear().envs(&self.settings);
        let process = Process::start(command.env(switch, point), "KILL", &self.folder);
        let stands = process.wait_for(&format!("{kind} point {point}"));
        stands.unwrap_or_else(|log| panic!("{arguments:?} does not come to {point}:\n{log}"));
        process
    }

    pub(super) fn ports(&self) -> Ports {
        self.lock().as_ref().expect("gx runs").1.clone()
    }

    pub(super) fn log(&self) -> String {
        let running = self.lock();
        let processes = running.iter().flat_map(|(processes, _)| processes);
        processes
            .map(Process::log)
            .collect::<Vec<_>>()
            .join("\n---\n")
    }

    pub(super) fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Vec<Process>, Ports)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.lock().take());
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Gives a process in a folder of its own the keys of a system, as a mounted secret does.
fn share_keys(from: &Path, to: &Path) {
    let (from, to) = (from.join("keys"), to.join("keys"));
    if !from.exists() || to.exists() {
        return;
    }
    let mut private = std::fs::DirBuilder::new();
    private
        .mode(0o700)
        .recursive(true)
        .create(&to)
        .expect("a folder");
    for file in std::fs::read_dir(from).expect("keys") {
        let file = file.expect("a key");
        std::fs::copy(file.path(), to.join(file.file_name())).expect("a copy");
    }
}

fn listens(process: &Process, role: &str) {
    says(process, role, LISTENS);
}

fn says(process: &Process, role: &str, words: &str) {
    if let Err(log) = process.wait_for(words) {
        panic!("{role} does not start, or does not say {words}:\n{log}");
    }
}

pub(super) fn owned(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    settings.iter().map(owned).collect()
}

/// Waits for processes away from the threads that drive the test.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(broken) => std::panic::resume_unwind(broken.into_panic()),
    }
}
