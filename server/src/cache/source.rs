//! Where Redis is, as the settings name it: one server, or Sentinels that know which
//! server is the primary now.

use std::fmt;

use anyhow::Context as _;
use redis::{
    Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisResult,
    TlsCertificates, TlsMode,
    sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType},
};
use secrecy::{ExposeSecret, SecretString};

use crate::config;

/// Finds the server that is the primary now.
pub(super) enum Source {
    Server(Box<Client>),
    Sentinels(Box<SentinelClient>),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The clients hold passwords.
        f.write_str(match self {
            Self::Server(_) => "Server",
            Self::Sentinels(_) => "Sentinels",
        })
    }
}

impl Source {
    /// Reads the files of the settings; nothing is connected yet.
    pub(super) fn new(settings: &config::Redis) -> anyhow::Result<Self> {
        let certificates = certificates(settings)?;
        if settings.sentinels.is_empty() {
            let info = server(settings).context("redis.url")?;
            let client = match certificates {
                Some(certificates) => Client::build_with_tls(info, certificates),
                None => Client::open(info),
            };
            return Ok(Self::Server(Box::new(client.context("redis")?)));
        }
        let client = sentinels(settings, certificates).context("redis.sentinels")?;
        Ok(Self::Sentinels(Box::new(client)))
    }

    /// The primary's client. Sentinels are asked each time, for it may have moved.
    pub(super) async fn primary(&mut self) -> RedisResult<Client> {
        match self {
            Self::Server(client) => Ok(Client::clone(client)),
            Self::Sentinels(sentinels) => sentinels.async_get_client().await,
        }
    }
}

fn server(settings: &config::Redis) -> RedisResult<ConnectionInfo> {
    let info = settings.url.as_str().into_connection_info()?;
    let mut login = info.redis_settings().clone();
    if !settings.user.is_empty() {
        login = login.set_username(&settings.user);
    }
    if let Some(password) = given(&settings.password) {
        login = login.set_password(password);
    }
    Ok(info.set_redis_settings(login))
}

fn sentinels(
    settings: &config::Redis,
    certificates: Option<TlsCertificates>,
) -> RedisResult<SentinelClient> {
    let addresses = settings.sentinels.iter().filter_map(|sentinel| {
        let (host, port) = sentinel.rsplit_once(':')?;
        Some(address(host, port.parse().ok()?, settings.tls))
    });
    let name = &settings.sentinel_name;
    let mut builder = SentinelClientBuilder::new(addresses, name, SentinelServerType::Master)?;
    if settings.tls {
        builder = builder
            .set_client_to_redis_tls_mode(TlsMode::Secure)
            .set_client_to_sentinel_tls_mode(TlsMode::Secure);
    }
    if let Some(certificates) = certificates.filter(|_| settings.tls) {
        builder = builder
            .set_client_to_redis_certificates(certificates.clone())
            .set_client_to_sentinel_certificates(certificates);
    }
    if !settings.user.is_empty() {
        builder = builder.set_client_to_redis_username(&settings.user);
    }
    if let Some(password) = given(&settings.password) {
        builder = builder.set_client_to_redis_password(password);
    }
    if !settings.sentinel_user.is_empty() {
        builder = builder.set_client_to_sentinel_username(&settings.sentinel_user);
    }
    if let Some(password) = given(&settings.sentinel_password) {
        builder = builder.set_client_to_sentinel_password(password);
    }
    builder.build()
}

fn address(host: &str, port: u16, tls: bool) -> ConnectionAddr {
    let host = host.to_owned();
    if tls {
        ConnectionAddr::TcpTls {
            host,
            port,
            insecure: false,
            tls_params: None,
        }
    } else {
        ConnectionAddr::Tcp(host, port)
    }
}

fn given(secret: &SecretString) -> Option<&str> {
    Some(secret.expose_secret()).filter(|secret| !secret.is_empty())
}

/// Who vouches for the server, and what this client shows; `None` without files.
fn certificates(settings: &config::Redis) -> anyhow::Result<Option<TlsCertificates>> {
    let root_cert = file(&settings.tls_ca_file)?;
    let certificate = file(&settings.tls_certificate_file)?;
    let key = file(&settings.tls_key_file)?;
    let client_tls = certificate.zip(key);
    if root_cert.is_none() && client_tls.is_none() {
        return Ok(None);
    }
    Ok(Some(TlsCertificates {
        client_tls: client_tls.map(|(client_cert, client_key)| ClientTlsConfig {
            client_cert,
            client_key,
        }),
        root_cert,
    }))
}

fn file(path: &str) -> anyhow::Result<Option<Vec<u8>>> {
    if path.is_empty() {
        return Ok(None);
    }
    let bytes = std::fs::read(path).with_context(|| path.to_owned())?;
    Ok(Some(bytes))
}
