//! A member's side of Fabric CA: gets a certificate, and a later one for it.
//!
//! The key is made here and stays here; the authority sees a request that the key
//! signed. What comes back is taken only if it is for that key and name, with the
//! role that was asked for, and if its issuers lead to an authority that is trusted
//! already. The first time of all there may be none; then the connection alone
//! vouches for the root, and whoever keeps the answer must keep the root and trust
//! it alone from then on.

mod answer;
mod error;
mod http;

use gx_contract::ChainRole;
use rcgen::{CertificateParams, DnType, KeyPair};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{
    token::Covered,
    wire::{AttributeRequest, EnrolmentRequest, Issued, PREFIX},
};
use crate::{
    devnet::{Clock, system_clock},
    msp::{Certificate, ROLE, SigningIdentity},
};
use answer::Expected;
pub use error::EnrolError;
use http::Http;

/// Where an authority is, and what is trusted.
#[derive(Clone)]
pub struct ClientOptions {
    /// `https://host:port`.
    pub url: String,
    /// The name in the server's certificate, where it is not the URL's host.
    pub server_name: Option<String>,
    /// The authorities of the server's own certificate, in PEM; no others are
    /// trusted for the connection.
    pub tls_authorities: String,
    /// Which of the server's authorities; none for its default.
    pub authority: Option<String>,
    /// The authorities that members' certificates must lead to, in PEM; none the
    /// first time, if nobody has handed them over.
    pub trusted: Option<String>,
    /// Tells what holds now.
    pub clock: Clock,
}

impl ClientOptions {
    /// With the system's clock, the server's default authority, and nothing trusted
    /// for members' certificates yet.
    pub fn new(url: impl Into<String>, tls_authorities: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            server_name: None,
            tls_authorities: tls_authorities.into(),
            authority: None,
            trusted: None,
            clock: system_clock(),
        }
    }
}

/// Whose certificate is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The name under which the authority knows it.
    pub id: String,
    /// What the certificate must allow; none for the usual attributes.
    pub role: Option<ChainRole>,
}

/// A certificate with its key. Shown without the key.
#[derive(Clone)]
pub struct Enrolment {
    /// In PEM.
    pub certificate: String,
    /// PKCS#8 in PEM.
    pub key: Zeroizing<String>,
    /// The certificate's issuers up to one that is trusted, in PEM.
    pub authorities: String,
    /// The last of the issuers, in PEM.
    pub root: String,
}

impl std::fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enrolment")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

/// A client of one authority.
pub struct Client {
    http: Http,
    authority: Option<String>,
    trusted: Option<Vec<Certificate>>,
    clock: Clock,
}

impl Client {
    /// Checks the options; connects to nobody.
    ///
    /// # Errors
    /// [`EnrolError::Setting`], naming what cannot be used.
    pub fn new(options: ClientOptions) -> Result<Self, EnrolError> {
        let http = Http::new(&options)?;
        let trusted = options.trusted.as_deref().map(Certificate::all_from_pem);
        let trusted = trusted.transpose().map_err(|error| {
            EnrolError::Setting(format!("the certificates of trusted authorities: {error}"))
        })?;
        Ok(Self {
            http,
            trusted,
            authority: options.authority,
            clock: options.clock,
        })
    }

    /// Gets a certificate for name and secret.
    ///
    /// # Errors
    /// If it is not to be had, or what comes back cannot be trusted.
    pub async fn enroll(
        &self,
        wanted: &Wanted,
        secret: &SecretString,
    ) -> Result<Enrolment, EnrolError> {
        let key = new_key()?;
        let body = self.body(wanted, &key)?;
        let login = format!("{}:{}", wanted.id, secret.expose_secret());
        let login = http::basic(&Zeroizing::new(login));
        let issued = self.http.post(&path("enroll"), body, login).await;
        let issued = issued.map_err(|error| error.without(secret.expose_secret()))?;
        self.take(wanted, &key, &issued)
    }

    /// Gets a certificate for one that still holds, with a key of its own.
    ///
    /// # Errors
    /// If it is not to be had, or what comes back cannot be trusted.
    pub async fn reenroll(
        &self,
        wanted: &Wanted,
        current: &SigningIdentity,
    ) -> Result<Enrolment, EnrolError> {
        let key = new_key()?;
        let body = self.body(wanted, &key)?;
        let path = path("reenroll");
        let token = Covered {
            method: "POST",
            uri: &path,
            body: &body,
        };
        let token = token.sign(current);
        let issued = self.http.post(&path, body, token.into()).await?;
        self.take(wanted, &key, &issued)
    }

    fn body(&self, wanted: &Wanted, key: &KeyPair) -> Result<Vec<u8>, EnrolError> {
        let role = wanted.role.map(|_| AttributeRequest {
            name: ROLE.to_owned(),
            optional: false,
        });
        let request = EnrolmentRequest {
            certificate_request: request_for(&wanted.id, key)?,
            attr_reqs: role.map(|role| vec![role]),
            caname: self.authority.clone(),
            profile: None,
        };
        serde_json::to_vec(&request).map_err(|error| EnrolError::Setting(error.to_string()))
    }

    fn take(
        &self,
        wanted: &Wanted,
        key: &KeyPair,
        issued: &Issued,
    ) -> Result<Enrolment, EnrolError> {
        let key = Zeroizing::new(key.serialize_pem());
        let expected = Expected {
            wanted,
            key: &key,
            trusted: self.trusted.as_deref(),
            now_ms: (self.clock)(),
        };
        let (certificate, path) = expected.check(issued)?;
        let path: Vec<_> = path.iter().map(|one| one.pem().trim_end()).collect();
        let root = path.last().copied().unwrap_or_default();
        Ok(Enrolment {
            certificate,
            root: format!("{root}\n"),
            authorities: format!("{}\n", path.join("\n")),
            key,
        })
    }
}

fn path(operation: &str) -> String {
    format!("{PREFIX}/{operation}")
}

fn new_key() -> Result<KeyPair, EnrolError> {
    KeyPair::generate().map_err(|error| EnrolError::Setting(format!("no key can be made: {error}")))
}

fn request_for(id: &str, key: &KeyPair) -> Result<String, EnrolError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, id);
    let request = params
        .serialize_request(key)
        .and_then(|request| request.pem());
    request.map_err(|error| EnrolError::Setting(format!("no request can be made: {error}")))
}
