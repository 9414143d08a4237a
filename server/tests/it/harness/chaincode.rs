//! `gx chaincode` as a child process, and its tool.

use std::process::{Command, ExitStatus};

use tempfile::TempDir;

use super::{
    metrics,
    process::Process,
    server::{blocking, owned},
};

/// A running `gx chaincode`.
#[derive(Debug)]
pub(crate) struct Chaincode {
    process: Process,
    /// Where peers dial.
    pub(crate) port: u16,
    metrics: u16,
    _folder: TempDir,
}

impl Chaincode {
    /// Starts it on free ports.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        let settings = owned(settings);
        blocking(move || {
            let folder = tempfile::tempdir().expect("a folder");
            let mut command = gx();
            command
                .args(["--listen-base", "0", "chaincode"])
                .envs(settings);
            let process = Process::start(&mut command, "KILL", folder.path());
            let listens = process.wait_for("chaincode listens");
            listens.unwrap_or_else(|log| panic!("gx chaincode does not start:\n{log}"));
            let port = |name: &str| number(&process.log(), name);
            Self {
                port: port("chaincode="),
                metrics: port("metrics="),
                process,
                _folder: folder,
            }
        })
        .await
    }

    /// The sum of a metric over its labels.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        metrics::metric(&[self.metrics], name).await
    }

    /// Status and body of a probe.
    pub(crate) async fn probe(&self, path: &str) -> (u16, String) {
        metrics::get(self.metrics, path).await
    }

    /// Stops it as an operator does, and waits for its end.
    pub(crate) async fn stop(mut self) -> ExitStatus {
        blocking(move || {
            self.process.signal("TERM");
            self.process.wait()
        })
        .await
    }
}

/// Runs the binary to its end; whether it ended well, and what it wrote.
pub(crate) fn tool(arguments: &[&str], settings: &[(&str, &str)]) -> (bool, String) {
    let output = gx().args(arguments).envs(owned(settings)).output();
    let output = output.expect("a tool");
    let written = [output.stdout, output.stderr].concat();
    let written = String::from_utf8_lossy(&written).into_owned();
    (output.status.success(), written)
}

fn gx() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gx"));
    command.env_clear().env("NO_COLOR", "1");
    // Nothing is written there.
    command.env("GX_DATA_DIR", "/nonexistent");
    command
}

/// The number behind a word of the log.
fn number(log: &str, word: &str) -> u16 {
    let rest = log.split(word).nth(1).expect("the word");
    let end = rest.find(|one: char| !one.is_ascii_digit());
    rest[..end.unwrap_or(rest.len())].parse().expect("a port")
}
