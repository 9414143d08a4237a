//! Two authorities behind a port, with a clock that stands until it is moved.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use gx_contract::ChainRole;
use gx_fabric::{
    ca::{
        Authority, Client, ClientOptions, EnrolError, Enrolment, Registration, Registry, Server,
        ServerTls, Wanted,
    },
    devnet::Clock,
    msp::SigningIdentity,
};
use secrecy::SecretString;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::ring::default_provider,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};
use tokio_util::sync::CancellationToken;

/// When everything is made. Long ago, so that certificates of connections hold by
/// any clock.
pub(crate) const START_MS: i64 = 1_700_000_000_000;
/// How long certificates of members hold.
pub(crate) const TTL: Duration = Duration::from_secs(24 * 3_600);
/// The authorities by name; the first is the default.
pub(crate) const NAMES: [&str; 2] = ["ca-one", "ca-two"];

/// A server that stops with the test.
pub(crate) struct Ca {
    pub(crate) url: String,
    /// What vouches for the connection.
    pub(crate) tls: Authority,
    pub(crate) authorities: [Arc<Authority>; 2],
    pub(crate) registry: Registry,
    time: Arc<AtomicI64>,
    shutdown: CancellationToken,
    served: Option<JoinHandle<std::io::Result<()>>>,
}

impl Ca {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let time = Arc::new(AtomicI64::new(START_MS));
        let tls = Authority::create("tls", START_MS).unwrap();
        let authorities = NAMES.map(|name| Arc::new(Authority::create(name, START_MS).unwrap()));
        let registry = NAMES
            .into_iter()
            .fold(Registry::default(), |registry, name| {
                registry.with(name, known())
            });
        let named = NAMES.iter().map(ToString::to_string);
        let named = named.zip(authorities.clone()).collect();
        let server = Server::new(named, &registry, clock(&time)).with_ttl(TTL);
        let shutdown = CancellationToken::new();
        let served = server.serve(listener, server_tls(&tls), shutdown.clone());
        Self {
            url: format!("https://localhost:{port}"),
            served: Some(tokio::spawn(served)),
            tls,
            authorities,
            registry,
            time,
            shutdown,
        }
    }

    /// How to reach it, with nothing trusted for members' certificates yet.
    pub(crate) fn options(&self) -> ClientOptions {
        ClientOptions {
            clock: clock(&self.time),
            ..ClientOptions::new(&self.url, self.tls.certificate_pem())
        }
    }

    pub(crate) fn client(&self) -> Client {
        let trusted = self.authorities[0].certificate_pem().to_owned();
        Client::new(ClientOptions {
            trusted: Some(trusted),
            ..self.options()
        })
        .unwrap()
    }

    pub(crate) fn secret(&self, authority: &str, id: &str) -> SecretString {
        let mut known = self.registry.of(authority).iter();
        known.find(|known| known.id == id).unwrap().secret.clone()
    }

    pub(crate) async fn enroll(&self, wanted: &Wanted) -> Result<Enrolment, EnrolError> {
        let secret = self.secret(NAMES[0], &wanted.id);
        self.client().enroll(wanted, &secret).await
    }

    pub(crate) fn advance(&self, by: Duration) {
        let by_ms = i64::try_from(by.as_millis()).unwrap();
        self.time.fetch_add(by_ms, Ordering::SeqCst);
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.time.load(Ordering::SeqCst)
    }

    /// Stops it as its owner does.
    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        self.served.take().unwrap().await.unwrap().unwrap();
    }
}

impl Drop for Ca {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

pub(crate) fn partner() -> Wanted {
    Wanted {
        id: "partner".to_owned(),
        role: Some(ChainRole::Partner),
    }
}

/// The identity that an enrolment makes.
pub(crate) fn identity(enrolment: &Enrolment) -> SigningIdentity {
    SigningIdentity::from_pem("Org1MSP", &enrolment.certificate, &enrolment.key).unwrap()
}

/// A connection for raw requests.
pub(crate) async fn secured(ca: &Ca) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    let pem = ca.tls.certificate_pem().as_bytes();
    roots
        .add(CertificateDer::from_pem_slice(pem).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let name = "localhost".try_into().unwrap();
    connector.connect(name, connected(ca).await).await.unwrap()
}

/// A connection on which nothing was said yet.
pub(crate) async fn connected(ca: &Ca) -> TcpStream {
    let (_, port) = ca.url.rsplit_once(':').unwrap();
    let stream = TcpStream::connect(("127.0.0.1", port.parse().unwrap()));
    stream.await.unwrap()
}

/// How a server of a test's own for `localhost` shows itself.
pub(crate) fn rustls_server(authority: &Authority) -> Arc<ServerConfig> {
    let (certificate, key) = localhost(authority);
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key);
    Arc::new(config.unwrap())
}

fn server_tls(authority: &Authority) -> ServerTls {
    let (certificate, key) = localhost(authority);
    ServerTls::from_pem(&certificate, &key).unwrap()
}

fn localhost(authority: &Authority) -> (String, String) {
    let ten_years = Duration::from_secs(10 * 365 * 24 * 3_600);
    let names = ["localhost".to_owned()];
    authority.issue_server(&names, START_MS, ten_years).unwrap()
}

fn clock(time: &Arc<AtomicI64>) -> Clock {
    let time = time.clone();
    Arc::new(move || time.load(Ordering::SeqCst))
}

fn known() -> Vec<Registration> {
    vec![
        Registration::client("partner", Some(ChainRole::Partner)),
        Registration::client("user", None),
    ]
}
