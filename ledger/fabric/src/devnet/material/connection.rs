//! What a foreign client must know to connect, as JSON.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf, absolute},
};

use serde::{Deserialize, Serialize};

use super::Material;
use crate::devnet::options::CoreOptions;

/// How a foreign client connects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The channel.
    pub channel: String,
    /// The chaincode.
    pub chaincode: String,
    /// The organizations by name.
    pub orgs: BTreeMap<String, ConnectionOrganization>,
}

/// An organization's way in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionOrganization {
    /// Its MSP.
    pub msp_id: String,
    /// The gateway's address, `host:port`.
    pub gateway: String,
    /// The name that the server's certificate bears.
    pub tls_server_name: String,
    /// The file of the authority that issued it.
    pub tls_ca: PathBuf,
    /// The same in PEM.
    pub tls_ca_pem: String,
    /// Who may speak, by name.
    pub identities: BTreeMap<String, ConnectionIdentity>,
}

/// An identity's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionIdentity {
    /// The certificate in PEM.
    pub cert: PathBuf,
    /// The private key in PEM.
    pub key: PathBuf,
}

impl Material {
    /// How clients connect to a devnet of this material that serves at `gateways`, one
    /// an organization in their order: `host:port`, where the host is one of the names
    /// in the server's certificate. An organization without one is left out.
    pub fn connection(&self, options: &CoreOptions, gateways: &[String]) -> Connection {
        let whole = |path: &Path| absolute(path).unwrap_or_else(|_| path.to_owned());
        let organizations = self.organizations.iter().zip(gateways);
        let organizations = organizations.map(|(organization, gateway)| {
            let host = gateway
                .rsplit_once(':')
                .map_or(&**gateway, |(host, _)| host);
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let identities = organization.identities.iter().map(|(name, files)| {
                let files = ConnectionIdentity {
                    cert: whole(&files.certificate),
                    key: whole(&files.key),
                };
                ((*name).to_owned(), files)
            });
            let connection = ConnectionOrganization {
                msp_id: organization.msp_id.to_owned(),
                gateway: gateway.clone(),
                tls_server_name: host.to_owned(),
                tls_ca: whole(&self.tls.authority_path),
                tls_ca_pem: self.tls.authority_pem.clone(),
                identities: identities.collect(),
            };
            (organization.name.to_owned(), connection)
        });
        Connection {
            channel: options.channel.clone(),
            chaincode: options.chaincode.clone(),
            orgs: organizations.collect(),
        }
    }
}
