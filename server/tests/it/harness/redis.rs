//! Redis servers and a Sentinel, started by tests on free ports.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread,
    time::Duration,
};

use super::process::Process;

/// A running Redis; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Redis {
    pub(crate) port: u16,
    folder: PathBuf,
    process: Process,
}

/// Checks of limits after which a Redis is killed that is killed in the middle.
const MIDDLE: u64 = 20;
/// How often it is asked how many there were.
const POLL: Duration = Duration::from_millis(20);

/// A running Sentinel that watches one primary under the name `gx`.
#[derive(Debug)]
pub(crate) struct Sentinel {
    pub(crate) port: u16,
    process: Process,
}

impl Redis {
    pub(crate) fn start() -> Self {
        Self::start_with(free_port(), &[])
    }

    /// Starts it on a port, with arguments in the form of its configuration file.
    pub(crate) fn start_with(port: u16, arguments: &[&str]) -> Self {
        let folder = folder();
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"])
            .args(["--repl-diskless-sync-delay", "0"])
            .args(arguments)
            .current_dir(&folder);
        let process = Process::start(&mut command, "KILL", &folder);
        if let Err(log) = process.wait_for("Ready to accept connections") {
            panic!("Redis does not start; install redis-server:\n{log}");
        }
        Self {
            port,
            folder,
            process,
        }
    }

    /// A server that copies this one.
    pub(crate) fn replica(&self) -> Self {
        let replica = Self::start_with(
            free_port(),
            &["--replicaof", &format!("127.0.0.1 {}", self.port)],
        );
        let copied = replica.process.wait_for("Finished with success");
        copied.expect("a copy");
        replica
    }

    /// Waits until it says that it is the primary.
    pub(crate) fn promoted(&self) {
        let said = self.process.wait_for("MASTER MODE enabled");
        said.expect("promoted");
    }

    /// What every system on PostgreSQL has whose test says nothing of Redis, as the
    /// variable `REDIS` wants it: `kept`, or `killed` in the middle.
    pub(super) fn of_every_system() -> Option<Arc<Self>> {
        let wanted = crate::variable("REDIS")?;
        let redis = Arc::new(Self::start());
        match wanted.as_str() {
            "kept" => {}
            "killed" => redis.die_in_the_middle(),
            _ => panic!("REDIS is {wanted}, and neither kept nor killed"),
        }
        Some(redis)
    }

    /// Kills it in the middle: when it has checked so many limits.
    fn die_in_the_middle(self: &Arc<Self>) {
        let redis = Arc::downgrade(self);
        thread::spawn(move || {
            while let Some(redis) = redis.upgrade() {
                if redis.checks().is_none_or(|checks| checks >= MIDDLE) {
                    return redis.process.signal("KILL");
                }
                drop(redis);
                thread::sleep(POLL);
            }
        });
    }

    /// How many limits it has checked; `None` where it does not answer.
    fn checks(&self) -> Option<u64> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.write_all(b"INFO commandstats\r\nQUIT\r\n").ok()?;
        let lines = BufReader::new(stream).lines().map_while(Result::ok);
        let scripts = lines.filter_map(|line| {
            let calls = line.strip_prefix("cmdstat_evalsha:calls=")?;
            calls.split(',').next()?.parse::<u64>().ok()
        });
        Some(scripts.sum())
    }

    /// Its URL as a setting.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Sentinel {
    /// Watches a primary, and waits until it knows the replica.
    pub(crate) fn of(primary: &Redis) -> Self {
        let (port, folder) = (free_port(), folder());
        let file = folder.join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor gx 127.0.0.1 {} 1\n\
             sentinel down-after-milliseconds gx 500\nsentinel failover-timeout gx 3000\n",
            primary.port
        );
        std::fs::write(&file, text).expect("a file");
        let mut command = Command::new("redis-sentinel");
        command.arg(&file).current_dir(&folder);
        let process = Process::start(&mut command, "KILL", &folder);
        if let Err(log) = process.wait_for("+slave") {
            panic!("the Sentinel does not start; install redis-sentinel:\n{log}");
        }
        Self { port, process }
    }

    /// Waits until it has made another server the primary.
    pub(crate) fn switched(&self) {
        self.process.wait_for("+switch-master").expect("a failover");
    }
}

/// A port that nobody has at the moment.
pub(crate) fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    free.expect("a free port").port()
}

fn folder() -> PathBuf {
    let folder = tempfile::Builder::new().prefix("gx-redis-").tempdir();
    let folder: &Path = &folder.expect("a folder").keep();
    folder.to_owned()
}
