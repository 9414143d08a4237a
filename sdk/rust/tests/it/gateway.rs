//! A real Envoy in front of a `gx`, which can be killed and started again on its port.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio::{net::TcpStream, time::sleep};

use crate::harness::{binary, url};

/// Envoy says so before a worker listens.
const SERVES: &str = "starting workers";
/// How often it is asked then whether one does.
const POLL: Duration = Duration::from_millis(5);

/// Envoy, as `gx gateway` configures it.
pub(crate) struct Gateway {
    port: u16,
    folder: tempfile::TempDir,
    process: Option<Child>,
}

impl Gateway {
    /// Starts it; `wallet` is where it finds the service of wallets, and `others` all else.
    pub(crate) async fn start(wallet: u16, others: u16) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let [port, metrics, admin] = [(); 3].map(|()| free_port());
        let at = |port: u16| format!("127.0.0.1:{port}");
        let done = Command::new(binary())
            .arg("gateway")
            .arg("--out")
            .arg(folder.path().join("envoy.yaml"))
            .env_clear()
            .env("GX_GATEWAY__PORT", port.to_string())
            .env("GX_GATEWAY__METRICS", metrics.to_string())
            .env("GX_GATEWAY__ADMIN", admin.to_string())
            .env("GX_GATEWAY__IDENTITY", at(others))
            .env("GX_GATEWAY__WALLET", at(wallet))
            .env("GX_GATEWAY__TOKENOMICS", at(others))
            .stdout(Stdio::null())
            .status();
        assert!(done.expect("gx gateway").success());
        let mut gateway = Self {
            port,
            folder,
            process: None,
        };
        gateway.revive().await;
        gateway
    }

    pub(crate) fn url(&self) -> String {
        url(self.port)
    }

    /// Starts it again.
    pub(crate) async fn revive(&mut self) {
        let mut process = Command::new(envoy())
            .args(["--use-dynamic-base-id", "--concurrency", "1"])
            .arg("--config-path")
            .arg(self.folder.path().join("envoy.yaml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("Envoy starts");
        let log = BufReader::new(process.stderr.take().expect("a pipe"));
        let mut lines = log.lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains(SERVES)), "Envoy serves");
        // Nobody reads on, and a full pipe would hold it up.
        std::thread::spawn(move || lines.for_each(drop));
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            sleep(POLL).await;
        }
        self.process = Some(process);
    }

    /// Kills it, with every connection.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The Envoy that `make sdk` names, or the one on the path.
fn envoy() -> PathBuf {
    std::env::var_os("ENVOY_BINARY").map_or_else(|| "envoy".into(), Into::into)
}

fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    free.expect("a free port").port()
}
