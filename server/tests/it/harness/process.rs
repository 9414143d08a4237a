//! A child process with its log, stopped by its id.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use super::{PATIENCE, reaper};

/// How often a child is looked at that was told to end.
const POLL: Duration = Duration::from_millis(5);

/// A running child.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    log: Arc<Log>,
}

#[derive(Debug, Default)]
struct Log {
    told: Mutex<Told>,
    grown: Condvar,
}

#[derive(Debug, Default)]
struct Told {
    lines: Vec<String>,
    open: usize,
}

impl Process {
    /// Starts a child and reads what it writes. `signal` stops it, and `folder`
    /// goes with it, should the test process end first.
    pub(super) fn start(command: &mut Command, signal: &str, folder: &Path) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        reaper::enter(child.id(), signal, folder);
        let log = Arc::new(Log::default());
        log.told.lock().expect("the log").open = 2;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        log.clone().read(stdout.expect("a pipe"));
        log.clone().read(stderr.expect("a pipe"));
        Self { child, log }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until a line of the log holds `words`.
    ///
    /// # Errors
    /// The log, if the child ended or it took too long.
    pub(super) fn wait_for(&self, words: &str) -> Result<(), String> {
        let told = self.log.told.lock().expect("the log");
        let said = |told: &Told| told.lines.iter().any(|line| line.contains(words));
        let (told, _) = self
            .log
            .grown
            .wait_timeout_while(told, PATIENCE, |told| !said(told) && told.open > 0)
            .expect("the log");
        if said(&told) {
            Ok(())
        } else {
            Err(told.lines.join("\n"))
        }
    }

    /// The last lines of the log.
    pub(super) fn log(&self) -> String {
        let told = self.log.told.lock().expect("the log");
        let first = told.lines.len().saturating_sub(200);
        told.lines[first..].join("\n")
    }

    /// Sends a signal by name, such as `TERM`.
    pub(super) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([format!("-{name}"), self.id().to_string()])
            .status();
        assert!(sent.expect("kill").success(), "process {}", self.id());
    }

    /// Stops it where it stands, and waits until every thread of it has stopped.
    pub(super) fn halt(&self) {
        self.signal("STOP");
        let deadline = Instant::now() + PATIENCE;
        while !self.is_halted() {
            assert!(Instant::now() < deadline, "does not stop:\n{}", self.log());
            thread::sleep(POLL);
        }
    }

    fn is_halted(&self) -> bool {
        let threads = fs::read_dir(format!("/proc/{}/task", self.id())).expect("threads");
        // A thread that has ended meanwhile has no status.
        let states = threads
            .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("status")).ok());
        states
            .into_iter()
            .all(|status| status.contains("\nState:\tT"))
    }

    /// Waits until the child has ended and everything that it wrote is in the log.
    pub(super) fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                reaper::forget(self.id());
                self.log.wait_for_its_end();
                return status;
            }
            assert!(Instant::now() < deadline, "does not end:\n{}", self.log());
            thread::sleep(POLL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- log of process {}\n{}\n---", self.id(), self.log());
        }
        if self.child.try_wait().ok().flatten().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        reaper::forget(self.id());
    }
}

impl Log {
    fn read(self: Arc<Self>, pipe: impl Read + Send + 'static) {
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                self.told.lock().expect("the log").lines.push(line);
                self.grown.notify_all();
            }
            self.told.lock().expect("the log").open -= 1;
            self.grown.notify_all();
        });
    }

    /// Waits until all pipes are read: an ended child's last lines may still be in them.
    fn wait_for_its_end(&self) {
        let told = self.told.lock().expect("the log");
        let waited = self
            .grown
            .wait_timeout_while(told, PATIENCE, |told| told.open > 0);
        let (told, waited) = waited.expect("the log");
        let lines = || told.lines.join("\n");
        assert!(!waited.timed_out(), "the pipes stay open:\n{}", lines());
    }
}

#[test]
fn the_log_of_an_ended_process_is_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut shell = Command::new("sh");
    // Whoever holds the pipes writes once the child is known to have ended.
    shell.args([
        "-c",
        "(while [ -d /proc/$$ ]; do :; done; echo last words) &",
    ]);
    let mut process = Process::start(&mut shell, "KILL", folder.path());
    assert!(process.wait().success());
    assert_eq!(process.log(), "last words");
}
