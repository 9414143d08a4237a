//! The ledger's network as the settings name it: a Fabric network, or the devnet whose
//! files stand in `data_dir`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use gx_fabric::{
    client::{ClientOptions, Deadlines, FabricLedger, Identities, PeerOptions, TlsOptions},
    devnet::Connection,
    msp::IdentityFiles,
};

use crate::config::{Config, Fabric, FabricIdentity};

/// The devnet's folder in `data_dir`.
pub const DEVNET: &str = "devnet";
/// Where the devnet tells clients in its folder how to connect.
pub const CONNECTION_FILE: &str = "connection.json";

/// A client of the network.
///
/// # Errors
/// If a file that the settings name cannot be used, or neither a network nor a devnet
/// is there.
pub fn connect(config: &Config) -> anyhow::Result<FabricLedger> {
    let (options, identities) = match config.fabric.peers.is_empty() {
        true => devnet(config)?,
        false => named(config)?,
    };
    if identities.named().next().is_none() {
        bail!("fabric.identity: the ledger speaks to members alone, and none is named");
    }
    Ok(FabricLedger::new(
        with_bounds(options, &config.fabric),
        identities,
    )?)
}

/// The network that the settings name.
fn named(config: &Config) -> anyhow::Result<(ClientOptions, Identities)> {
    let fabric = &config.fabric;
    let server_name = (!fabric.server_name.is_empty()).then(|| fabric.server_name.clone());
    let peers = fabric.peers.iter().map(|address| PeerOptions {
        address: address.clone(),
        server_name: server_name.clone(),
    });
    let client = match fabric.tls_certificate_file.as_str() {
        "" => None,
        certificate => Some((
            read(certificate, "fabric.tls_certificate_file")?,
            read(&fabric.tls_key_file, "fabric.tls_key_file")?,
        )),
    };
    let tls = TlsOptions {
        authorities: read(&fabric.tls_ca_file, "fabric.tls_ca_file")?,
        client,
    };
    let identity = |name: &str, identity: &FabricIdentity| {
        let Some((certificate, key)) = files(config, name, identity) else {
            return Ok(None);
        };
        let files = IdentityFiles::new(&fabric.msp_id, certificate, key);
        let files = files.with_context(|| format!("fabric.identity.{name}"))?;
        anyhow::Ok(Some(Arc::new(files)))
    };
    let identities = Identities {
        partner: identity("partner", &fabric.identity.partner)?,
        admin: identity("admin", &fabric.identity.admin)?,
        super_admin: identity("super_admin", &fabric.identity.super_admin)?,
    };
    let options = ClientOptions::new(
        &fabric.channel,
        &fabric.chaincode,
        &fabric.msp_id,
        peers.collect(),
        tls,
    );
    Ok((options, identities))
}

/// The files of an identity: those that are set, else those that `gx enroll` keeps.
fn files(config: &Config, name: &str, identity: &FabricIdentity) -> Option<(PathBuf, PathBuf)> {
    if !identity.certificate_file.is_empty() {
        return Some((
            PathBuf::from(&identity.certificate_file),
            PathBuf::from(&identity.key_file),
        ));
    }
    let folder = config.identities_dir().join(name);
    let certificate = folder.join("cert.pem");
    certificate
        .exists()
        .then(|| (certificate, folder.join("key.pem")))
}

/// The devnet of `data_dir`, which says itself where it is and who may speak.
fn devnet(config: &Config) -> anyhow::Result<(ClientOptions, Identities)> {
    let connection = connection(config)?;
    let msp_id = &config.fabric.msp_id;
    let mut organizations = connection.orgs.into_values();
    let own = organizations.find(|organization| organization.msp_id == *msp_id);
    let own = own.with_context(|| format!("fabric.msp_id: the devnet has no {msp_id}"))?;
    let identity = |name: &str| {
        let files = own.identities.get(name);
        let files = files.with_context(|| format!("the devnet has no identity `{name}`"))?;
        let files = IdentityFiles::new(msp_id, &files.cert, &files.key)?;
        anyhow::Ok(Some(Arc::new(files)))
    };
    let identities = Identities {
        partner: identity("partner")?,
        admin: identity("admin")?,
        super_admin: identity("super_admin")?,
    };
    let peer = PeerOptions {
        address: own.gateway,
        server_name: Some(own.tls_server_name),
    };
    let tls = TlsOptions {
        authorities: own.tls_ca_pem,
        client: None,
    };
    let options = ClientOptions::new(
        connection.channel,
        connection.chaincode,
        msp_id,
        vec![peer],
        tls,
    );
    Ok((options, identities))
}

/// What the devnet of `data_dir` wrote of itself when it began to listen.
///
/// # Errors
/// If there is none.
pub fn connection(config: &Config) -> anyhow::Result<Connection> {
    let path = config.data_dir().join(DEVNET).join(CONNECTION_FILE);
    let text = std::fs::read(&path).with_context(|| {
        format!(
            "fabric.peers names no network, and no devnet has run here: {} is not there",
            path.display()
        )
    })?;
    serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))
}

fn with_bounds(options: ClientOptions, fabric: &Fabric) -> ClientOptions {
    ClientOptions {
        deadlines: Deadlines {
            connect: Duration::from_millis(fabric.connect_ms),
            evaluate: Duration::from_millis(fabric.evaluate_ms),
            endorse: Duration::from_millis(fabric.endorse_ms),
            submit: Duration::from_millis(fabric.submit_ms),
        },
        in_flight: fabric.in_flight,
        ..options
    }
}

fn read(path: &str, setting: &str) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(Path::new(path));
    text.with_context(|| format!("{path} cannot be read (setting {setting})"))
}
