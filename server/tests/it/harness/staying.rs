//! `gx` as a child process beside no system: what stays until it is stopped, and tools.

use std::process::{Command, ExitStatus};

use tempfile::TempDir;

use super::{
    metrics,
    process::Process,
    server::{blocking, owned},
};

/// A running `gx` that needs nothing else of GX.
#[derive(Debug)]
pub(crate) struct Staying {
    process: Process,
    metrics: u16,
    _folder: TempDir,
}

impl Staying {
    /// Starts it on free ports, and waits until it says that it is there: `words`.
    pub(crate) async fn start(
        command: &'static str,
        settings: &[(&str, &str)],
        words: &'static str,
    ) -> Self {
        let settings = owned(settings);
        blocking(move || {
            let folder = tempfile::tempdir().expect("a folder");
            let mut gx = gx();
            gx.args(["--listen-base", "0", command]).envs(settings);
            let process = Process::start(&mut gx, "KILL", folder.path());
            let there = process.wait_for(words);
            there.unwrap_or_else(|log| panic!("gx {command} does not start:\n{log}"));
            Self {
                metrics: number(&process.log(), "metrics="),
                process,
                _folder: folder,
            }
        })
        .await
    }

    /// A port that it told in its log.
    pub(crate) fn port(&self, name: &str) -> u16 {
        number(&self.process.log(), &format!("{name}="))
    }

    /// Waits until it has written a line with these words.
    pub(crate) async fn said(self, words: &'static str) -> Self {
        blocking(move || {
            let said = self.process.wait_for(words);
            said.unwrap_or_else(|log| panic!("it does not say {words}:\n{log}"));
            self
        })
        .await
    }

    /// The sum of a metric over its labels.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        metrics::metric(&[self.metrics], name).await
    }

    /// Status and body of a probe, or of `/metrics`.
    pub(crate) async fn probe(&self, path: &str) -> (u16, String) {
        metrics::get(self.metrics, path).await
    }

    /// Stops it as an operator does; how it ended, and all that it wrote.
    pub(crate) async fn stop(mut self) -> (ExitStatus, String) {
        blocking(move || {
            self.process.signal("TERM");
            (self.process.wait(), self.process.log())
        })
        .await
    }
}

/// Runs the binary until it stands at a kill point, and kills it there.
pub(crate) async fn tool_killed(
    arguments: &'static [&'static str],
    settings: &[(&str, &str)],
    point: &'static str,
) {
    let settings = owned(settings);
    blocking(move || {
        let folder = tempfile::tempdir().expect("a folder");
        let mut gx = gx();
        gx.args(arguments)
            .envs(settings)
            .env("KILL_POINT", point)
            .env("GX_DATA_DIR", folder.path());
        let mut process = Process::start(&mut gx, "KILL", folder.path());
        let there = process.wait_for(&format!("kill point {point}"));
        there.unwrap_or_else(|log| panic!("{arguments:?} does not come to {point}:\n{log}"));
        process.signal("KILL");
        process.wait();
    })
    .await;
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
    // No folder can be made there.
    command.env("GX_DATA_DIR", "/dev/null/gx");
    command
}

/// The number behind a word of the log.
fn number(log: &str, word: &str) -> u16 {
    let rest = log.split(word).nth(1).expect("the word");
    let end = rest.find(|one: char| !one.is_ascii_digit());
    rest[..end.unwrap_or(rest.len())].parse().expect("a port")
}
