//! TLS on both sides. A client trusts the authorities that it is given and no
//! others.

use std::{fmt, sync::Arc, time::Duration};

use tokio_rustls::rustls::{
    self, ClientConfig, RootCertStore, ServerConfig,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject},
    time_provider::TimeProvider,
};

use crate::devnet::Clock;

/// Why no connection can be secured.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// There is no certificate in PEM, or one that cannot be read.
    #[error("no certificates in PEM")]
    Certificates,
    /// There is no private key in PEM.
    #[error("no private key in PEM")]
    Key,
    /// They cannot be used.
    #[error(transparent)]
    Unusable(#[from] rustls::Error),
}

/// How a server shows itself.
#[derive(Clone)]
pub struct ServerTls(pub(super) Arc<ServerConfig>);

impl ServerTls {
    /// From a chain of certificates and the key of the first, in PEM.
    ///
    /// # Errors
    /// If they cannot be read or do not belong together.
    pub fn from_pem(certificates: &str, key: &str) -> Result<Self, TlsError> {
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| TlsError::Key)?;
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(certificates_of(certificates)?, key)?;
        Ok(Self(Arc::new(config)))
    }
}

/// Trusts the authorities given, and the clock given for how long they hold.
pub(super) fn client(authorities: &str, clock: Clock) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates_of(authorities)? {
        roots.add(certificate)?;
    }
    let (provider, time) = (Arc::new(default_provider()), Arc::new(Time(clock)));
    let config = ClientConfig::builder_with_details(provider, time)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn certificates_of(pem: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    read.ok()
        .filter(|certificates| !certificates.is_empty())
        .ok_or(TlsError::Certificates)
}

struct Time(Clock);

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        let now_ms = u64::try_from((self.0)()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(now_ms)))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Time")
    }
}
