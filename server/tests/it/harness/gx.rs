//! One system under test, as one test sees it: its connections and what it does.

use std::{
    collections::BTreeMap,
    path::Path,
    process::ExitStatus,
    sync::{Arc, atomic::Ordering},
};

use gx_server::{
    config::Config,
    store::{DatabaseUrl, Store},
};
use tokio::sync::OnceCell;

use super::{
    Client,
    process::Process,
    server::{Database, LISTENS, Server, blocking, owned},
};

/// A running `gx`, as one test sees it.
#[derive(Debug)]
pub(crate) struct Gx {
    server: Arc<Server>,
    client: Client,
    store: OnceCell<Store>,
    pub(super) admin: OnceCell<Client>,
}

/// A process beside a system.
#[derive(Debug)]
pub(crate) struct Beside {
    process: Process,
}

impl Beside {
    /// Ends it as an operator does, and waits for its end.
    pub(crate) async fn stop(mut self) -> ExitStatus {
        blocking(move || {
            self.process.signal("TERM");
            self.process.wait()
        })
        .await
    }

    /// Lets a tool go on that stands at a stop point; whether it ended well, and what it
    /// wrote.
    #[cfg(feature = "simulation")]
    pub(crate) async fn go_on(mut self) -> (bool, String) {
        blocking(move || {
            self.process.signal("CONT");
            (self.process.wait().success(), self.process.log())
        })
        .await
    }
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
        let ports = server.ports();
        Self {
            client: Client::of(&ports),
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

    /// A client of a service beside a system, by the names of the process and of its files.
    pub(crate) fn client_beside(&self, name: &str, service: &str) -> Client {
        let file = format!("{name}/{service}.ports.json");
        let text = std::fs::read(self.server.folder.join(file)).expect("the ports");
        let ports: BTreeMap<String, u16> = serde_json::from_slice(&text).expect("ports");
        Client::to(ports[service.trim_start_matches("svc-")])
    }

    /// Starts a role beside a system of six processes; it ends when it is dropped.
    pub(crate) async fn beside(&self, role: &'static str) -> Beside {
        self.beside_as(role, "beside").await
    }

    /// The same, under a name that no other process of the role has.
    pub(crate) async fn beside_as(&self, role: &'static str, name: &'static str) -> Beside {
        let server = self.server.clone();
        Beside {
            process: blocking(move || server.beside(role, name)).await,
        }
    }

    /// Waits until the process of a role has written a line with these words.
    pub(crate) async fn said_by(&self, role: &'static str, words: &str) {
        let (server, words) = (self.server.clone(), words.to_owned());
        blocking(move || server.said_by(role, &words)).await;
    }

    /// Stops the process of a role where it stands, in all its threads.
    pub(crate) async fn halt(&self, role: &'static str) {
        let server = self.server.clone();
        blocking(move || server.halt(role)).await;
    }

    /// Lets a process go on that was stopped.
    pub(crate) async fn let_go(&self, role: &'static str) {
        let server = self.server.clone();
        blocking(move || server.let_go(role)).await;
    }

    /// Runs a tool of the binary beside it; whether it ended well, and what it wrote.
    pub(crate) async fn tool(&self, arguments: &[&str]) -> (bool, String) {
        let (server, arguments) = (
            self.server.clone(),
            arguments.iter().map(ToString::to_string),
        );
        let arguments: Vec<_> = arguments.collect();
        blocking(move || server.tool(&arguments)).await
    }

    /// Starts a tool that stands still at a kill point; it is killed when it is dropped.
    #[cfg(feature = "simulation")]
    pub(crate) async fn standing_tool(&self, arguments: &[&str], point: &'static str) -> Beside {
        self.tool_at(arguments, "kill", point).await
    }

    /// Starts a tool that stands still at a stop point, until it is let go.
    #[cfg(feature = "simulation")]
    pub(crate) async fn stopped_tool(&self, arguments: &[&str], point: &'static str) -> Beside {
        self.tool_at(arguments, "stop", point).await
    }

    #[cfg(feature = "simulation")]
    async fn tool_at(&self, arguments: &[&str], kind: &'static str, point: &'static str) -> Beside {
        let (server, arguments) = (self.server.clone(), arguments.iter());
        let arguments: Vec<_> = arguments.map(ToString::to_string).collect();
        Beside {
            process: blocking(move || server.standing_tool(&arguments, kind, point)).await,
        }
    }

    /// Starts it again where it was, with other settings beside the first ones.
    pub(crate) async fn restart_with(&mut self, settings: &[(&str, &str)]) {
        let (server, settings) = (self.server.clone(), owned(settings));
        blocking(move || server.run(&settings)).await;
        self.reconnect();
    }

    /// Ends the process of a role by a signal, and starts it again where it was with
    /// other settings beside the first ones, while the others run on; how it ended.
    pub(crate) async fn replace(
        &mut self,
        role: &'static str,
        signal: &'static str,
        settings: &[(&str, &str)],
    ) -> ExitStatus {
        self.replace_until(role, signal, settings, LISTENS).await
    }

    /// The same, for a process that stands still at a kill point before it listens.
    pub(crate) async fn replace_until(
        &mut self,
        role: &'static str,
        signal: &'static str,
        settings: &[(&str, &str)],
        words: &'static str,
    ) -> ExitStatus {
        let (server, settings) = (self.server.clone(), owned(settings));
        let ended = blocking(move || server.replace(role, signal, &settings, words)).await;
        self.reconnect();
        ended
    }

    /// Tells the process of a role to end, and does not wait for it.
    pub(crate) async fn terminate(&self, role: &'static str) {
        let server = self.server.clone();
        blocking(move || server.terminate(role)).await;
    }

    fn reconnect(&mut self) {
        self.client = Client::of(&self.server.ports());
        self.admin = OnceCell::new();
    }

    /// Starts it again where it was.
    pub(crate) async fn restart(&mut self) {
        self.restart_with(&[]).await;
    }

    async fn end(&mut self, signal: &'static str) -> ExitStatus {
        let server = self.server.clone();
        blocking(move || server.end(signal)).await
    }

    /// A client without a token.
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    /// A client with a connection of its own.
    pub(crate) fn connect(&self) -> Client {
        Client::of(&self.server.ports())
    }

    /// The port that serves everything.
    pub(crate) fn port(&self) -> u16 {
        self.server.ports().identity
    }

    /// The ports of identity, wallet and tokenomics.
    pub(crate) fn service_ports(&self) -> [u16; 3] {
        let ports = self.server.ports();
        [ports.identity, ports.wallet, ports.tokenomics]
    }

    /// The ports of metrics, one a process.
    pub(super) fn metrics_ports(&self) -> Vec<u16> {
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

    /// Gives up the connections to the database; the next use makes others.
    pub(super) async fn close_store(&mut self) {
        if let Some(store) = self.store.take() {
            for connection in [store.read(), store.write()] {
                connection.clone().close().await.expect("closed");
            }
        }
    }

    pub(super) fn database_url(&self) -> &DatabaseUrl {
        &self.server.url
    }

    /// The settings that it runs with.
    pub(crate) fn config(&self) -> Config {
        Config::from_sources(None, self.server.settings.clone()).expect("settings")
    }
}

impl Drop for Gx {
    fn drop(&mut self) {
        self.server.tell_paths();
        if std::thread::panicking() && self.server.shared.load(Ordering::Relaxed) {
            eprintln!("--- log of gx\n{}\n---", self.server.log());
        }
    }
}
