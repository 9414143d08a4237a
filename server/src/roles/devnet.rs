//! The devnet as part of a process: a network in one process, reached over TLS as any
//! client would reach it.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use gx_fabric::{
    GxContract,
    ca::{self, Registry, ServerTls},
    devnet::{Core, CoreOptions, Driver, Limits, Material, Server, ServerOptions},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::ports::Ports;
use crate::{
    clock::{Clock, SystemClock},
    config::Config,
    network::{CONNECTION_FILE, DEVNET},
};

/// Who may enrol at the devnet's authorities, with their secrets.
const REGISTRY_FILE: &str = "registry.json";

/// The ports of the organizations' gateways, in their order.
const GATEWAYS: [&str; 2] = ["devnet", "devnet_org2"];

/// A running devnet.
pub(super) struct Devnet {
    driver: Driver,
    servers: Vec<Server>,
    authorities: JoinHandle<std::io::Result<()>>,
    shutdown: CancellationToken,
}

impl Devnet {
    /// Opens the chain in `data_dir`, or begins one, serves it, and writes how clients
    /// connect.
    pub(super) fn start(
        config: &Config,
        data_dir: &Path,
        ports: &mut Ports,
    ) -> anyhow::Result<Self> {
        let folder = data_dir.join(DEVNET);
        let opened = open(config, &folder);
        let (material, core) = opened
            .with_context(|| format!("the devnet in {} cannot be opened", folder.display()))?;
        let core = Arc::new(core);
        let shutdown = CancellationToken::new();
        let authorities = serve_authorities(&material, &folder, ports, shutdown.clone())?;
        let servers = serve_gateways(&material, &core, ports, &shutdown)?;
        let gateways: Vec<_> = servers
            .iter()
            .map(|server| server.address().to_string())
            .collect();
        let connection = material.connection(core.options(), &gateways);
        write(
            &folder.join(CONNECTION_FILE),
            &serde_json::to_vec_pretty(&connection)?,
        )?;
        Ok(Self {
            driver: Driver::start(core),
            servers,
            authorities,
            shutdown,
        })
    }

    /// Commits what was ordered, then ends the calls that wait.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        self.driver.shutdown().await?;
        for server in self.servers {
            server.shutdown().await?;
        }
        self.shutdown.cancel();
        self.authorities.await??;
        Ok(())
    }
}

/// Serves a gateway of every organization, each on a port of its own.
fn serve_gateways(
    material: &Material,
    core: &Arc<Core>,
    ports: &mut Ports,
    shutdown: &CancellationToken,
) -> anyhow::Result<Vec<Server>> {
    let tls = &material.tls;
    let organizations = material.organizations.iter().zip(GATEWAYS);
    let servers = organizations.map(|(organization, port)| {
        let bound = ports.take(port)?;
        let options = ServerOptions {
            msp_id: Some(organization.msp_id.to_owned()),
            ..ServerOptions::new(bound.address(), tls.certificate.clone(), tls.key.clone())
        };
        let server = Server::over(bound.open()?, core.clone(), options, shutdown)?;
        anyhow::Ok(server)
    });
    servers.collect()
}

/// Serves the organizations' certificate authorities, `ca-org1` and so on, with the
/// identities and secrets of `ca/registry.json`.
fn serve_authorities(
    material: &Material,
    folder: &Path,
    ports: &mut Ports,
    shutdown: CancellationToken,
) -> anyhow::Result<JoinHandle<std::io::Result<()>>> {
    let authorities = material.authorities();
    let names: Vec<_> = authorities.iter().map(|(name, _)| name.as_str()).collect();
    let registry = Registry::load_or_create(&folder.join(REGISTRY_FILE), &names)?;
    let tls = ServerTls::from_pem(&material.tls.certificate, &material.tls.key)?;
    let clock = Arc::new(|| SystemClock.now_ms());
    let server = ca::Server::new(authorities, &registry, clock);
    let listener = ports.take("devnet_ca")?.open()?;
    Ok(tokio::spawn(server.serve(listener, tls, shutdown)))
}

fn open(config: &Config, folder: &Path) -> anyhow::Result<(Material, Core)> {
    let host = config.listen.host;
    let names = match host.is_unspecified() {
        true => Vec::new(),
        false => vec![host.to_string()],
    };
    let material = Material::open(folder, &names, SystemClock.now_ms())?;
    let options = CoreOptions {
        channel: config.fabric.channel.clone(),
        chaincode: config.fabric.chaincode.clone(),
        limits: Limits {
            batch_timeout: Duration::from_millis(config.devnet.batch_timeout_ms),
            max_message_count: config.devnet.max_message_count,
            ..Limits::default()
        },
        ..material.core_options(Arc::new(GxContract))?
    };
    let core = Core::open(options, folder)?;
    Ok((material, core))
}

/// Writes a file whole or not at all.
fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let part = path.with_extension("part");
    std::fs::write(&part, content)
        .and_then(|()| std::fs::rename(&part, path))
        .with_context(|| format!("{} cannot be written", path.display()))
}
