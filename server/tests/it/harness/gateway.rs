//! Envoy in front of a system, as `gx gateway` configures it.

use std::{
    net::TcpStream,
    path::PathBuf,
    process::Command,
    sync::mpsc::{Sender, channel},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::Value;
use tempfile::TempDir;

use super::{Gx, PATIENCE, free_port, process::Process, rest, server::blocking, tool};

/// Where `make tools` installs Envoy is on the path of `make test`.
const MISSING: &str = "envoy is not on PATH: `make tools` installs it";

/// What Envoy says when it takes requests.
const SERVES: &str = "starting workers";

/// How often it is looked at while it starts.
const POLL: Duration = Duration::from_millis(5);

/// No limit is met by accident.
const SETTINGS: &[(&str, &str)] = &[
    ("GX_LIMITS__ADDRESS_PER_S", "1000000"),
    ("GX_LIMITS__ADDRESS_BURST", "1000000"),
    ("GX_GATEWAY__PER_S", "1000000"),
    ("GX_GATEWAY__BURST", "1000000"),
];

/// A running Envoy; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) port: u16,
    pub(crate) metrics: u16,
    process: Process,
    _keeper: Sender<()>,
    _folder: TempDir,
}

impl Gateway {
    /// Starts it in front of a system.
    pub(crate) async fn start(gx: &Gx) -> Self {
        Self::at(gx.service_ports(), &[]).await
    }

    /// Starts it in front of three ports: identity, wallet, tokenomics.
    pub(crate) async fn at(upstreams: [u16; 3], settings: &[(&str, &str)]) -> Self {
        let [port, metrics, admin] = [(); 3].map(|()| free_port());
        let mut all: Vec<(String, String)> = Vec::new();
        for (name, value) in SETTINGS.iter().chain(settings) {
            all.push(((*name).to_owned(), (*value).to_owned()));
        }
        for (name, port) in [
            ("GX_GATEWAY__PORT", port),
            ("GX_GATEWAY__METRICS", metrics),
            ("GX_GATEWAY__ADMIN", admin),
        ] {
            all.push((name.to_owned(), port.to_string()));
        }
        for (name, port) in SERVICES.into_iter().zip(upstreams) {
            all.push((name.to_owned(), format!("127.0.0.1:{port}")));
        }
        blocking(move || Self::run(&all, port, metrics)).await
    }

    fn run(settings: &[(String, String)], port: u16, metrics: u16) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("envoy.yaml");
        let settings: Vec<_> = settings
            .iter()
            .map(|(key, value)| (&**key, &**value))
            .collect();
        let (done, told) = tool(
            &["gateway", "--out", file.to_str().expect("text")],
            &settings,
        );
        assert!(done, "{told}");
        let mut command = envoy();
        command
            .args(["--concurrency", "1", "--config-path"])
            .arg(&file);
        let (process, keeper) = keep(command, folder.path().to_owned());
        let serves = process.wait_for(SERVES);
        serves.unwrap_or_else(|log| panic!("Envoy does not start:\n{log}"));
        listens(port, &process);
        Self {
            port,
            metrics,
            process,
            _keeper: keeper,
            _folder: folder,
        }
    }

    /// Sends a request: `GET /v1/supply`, and JSON if there is any.
    pub(crate) async fn call(&self, line: &str, token: &str, json: Option<&Value>) -> rest::Answer {
        let mut request = rest::request(line, json);
        if !token.is_empty() {
            let value = format!("Bearer {token}").parse().expect("a header's value");
            request.headers_mut().insert("authorization", value);
        }
        self.send(request).await
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> rest::Answer {
        rest::send(self.port, request).await
    }

    /// Waits until it has written a line with these words.
    pub(crate) async fn said(self, words: &'static str) -> Self {
        blocking(move || {
            let said = self.process.wait_for(words);
            said.unwrap_or_else(|log| panic!("Envoy does not say {words}:\n{log}"));
            self
        })
        .await
    }
}

/// Starts a process from a thread that stays until the answered end is dropped: Envoy
/// ends with the thread that started it.
fn keep(mut command: Command, folder: PathBuf) -> (Process, Sender<()>) {
    let ((keeper, kept), (tell, started)) = (channel::<()>(), channel());
    thread::spawn(move || {
        let process = Process::start(&mut command, "KILL", &folder);
        tell.send(process).expect("who waits for it");
        // Nothing is sent; it ends with the keeper.
        let _ = kept.recv();
    });
    (started.recv().expect("a process"), keeper)
}

/// Waits until a worker listens, which Envoy does not tell.
fn listens(port: u16, process: &Process) {
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "Envoy:\n{}", process.log());
        thread::sleep(POLL);
    }
}

const SERVICES: [&str; 3] = [
    "GX_GATEWAY__IDENTITY",
    "GX_GATEWAY__WALLET",
    "GX_GATEWAY__TOKENOMICS",
];

/// Envoy, which shares nothing with others on this machine.
pub(crate) fn envoy() -> Command {
    let found = Command::new("envoy").arg("--version").output();
    assert!(found.is_ok(), "{MISSING}");
    let mut command = Command::new("envoy");
    command.arg("--use-dynamic-base-id");
    command
}
