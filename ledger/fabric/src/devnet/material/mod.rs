//! The devnet's certificates and keys: two organizations with an authority, a peer
//! and identities each, and a server's certificate for TLS. Made at the first start,
//! made anew before they expire, whole or not at all whenever the process is killed.

mod connection;
mod files;
mod organization;
mod tls;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

pub use self::{
    connection::{Connection, ConnectionIdentity, ConnectionOrganization},
    organization::{IdentityFiles, Organization},
    tls::TlsMaterial,
};
use super::options::CoreOptions;
use crate::{
    Contract,
    ca::{Authority, AuthorityError},
    msp::{CertificateError, Membership, SigningError},
};

/// How long certificates hold that are no authority's.
const TTL: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// So long before its end a certificate is made anew.
const RENEW_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// Why there is no material.
#[derive(Debug, thiserror::Error)]
pub enum MaterialError {
    /// The operating system refuses.
    #[error("{path}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others may read a private key.
    #[error("{path} may be read by others; its mode should be 0600")]
    Exposed {
        /// The key's file.
        path: PathBuf,
    },
    /// An authority's certificate or key is not one any more. Making another would
    /// leave all that it issued without an issuer.
    #[error("{path} is damaged: {source}")]
    Damaged {
        /// The authority's folder.
        path: PathBuf,
        /// What is wrong.
        source: AuthorityError,
    },
    /// No certificate can be issued.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// No key can be made.
    #[error(transparent)]
    Key(#[from] rcgen::Error),
    /// A certificate that was just made cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A certificate that was just made does not go with its key.
    #[error(transparent)]
    Signing(#[from] SigningError),
}

/// All certificates and keys of a devnet.
pub struct Material {
    /// The organizations.
    pub organizations: Vec<Organization>,
    /// What the servers show.
    pub tls: TlsMaterial,
}

impl Material {
    /// Opens the material in a devnet's folder, and makes what is missing or expires
    /// soon. `names` are further names of the server, for its certificate.
    ///
    /// # Errors
    /// If the folder cannot be read or written, a key may be read by others, or an
    /// authority is damaged.
    pub fn open(folder: &Path, names: &[String], now_ms: i64) -> Result<Self, MaterialError> {
        let organizations = [("org1", "Org1MSP"), ("org2", "Org2MSP")];
        let organizations = organizations
            .into_iter()
            .map(|(name, msp_id)| Organization::open(folder, name, msp_id, now_ms));
        Ok(Self {
            organizations: organizations.collect::<Result<_, _>>()?,
            tls: TlsMaterial::open(folder, names, now_ms)?,
        })
    }

    /// The channel's members.
    ///
    /// # Errors
    /// If a certificate cannot be read.
    pub fn membership(&self) -> Result<Membership, CertificateError> {
        let mut organizations = self.organizations.iter();
        organizations.try_fold(Membership::default(), |members, organization| {
            members.with(organization.msp_id, &organization.authority_pem)
        })
    }

    /// The organizations' authorities by name: `ca-org1` and so on.
    pub fn authorities(&self) -> Vec<(String, Arc<Authority>)> {
        let organizations = self.organizations.iter();
        organizations
            .map(|one| (format!("ca-{}", one.name), one.authority.clone()))
            .collect()
    }

    /// A devnet of these organizations whose peers all run `contract`.
    ///
    /// # Errors
    /// If a certificate cannot be read.
    pub fn core_options(
        &self,
        contract: Arc<dyn Contract>,
    ) -> Result<CoreOptions, CertificateError> {
        let peers = self.organizations.iter().map(|organization| {
            let address = format!("peer0.{}", organization.name);
            (address, organization.peer.clone())
        });
        Ok(CoreOptions::certified(contract, self.membership()?, peers))
    }
}
