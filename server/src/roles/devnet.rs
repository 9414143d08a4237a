//! The devnet as part of a process: a network in one process, reached over TLS as any
//! client would reach it.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use gx_fabric::{
    GxContract,
    devnet::{Core, CoreOptions, Driver, Limits, Material, Server, ServerOptions},
};
use tokio_util::sync::CancellationToken;

use super::ports::Ports;
use crate::{
    clock::{Clock, SystemClock},
    config::Config,
    network::{CONNECTION_FILE, DEVNET},
};

/// A running devnet.
pub(super) struct Devnet {
    driver: Driver,
    server: Server,
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
        let bound = ports.take("devnet")?;
        let address = bound.address();
        let tls = &material.tls;
        let options = ServerOptions::new(address, tls.certificate.clone(), tls.key.clone());
        let never = CancellationToken::new();
        let server = Server::over(bound.open()?, core.clone(), options, &never)?;
        let connection = material.connection(core.options(), &address.to_string());
        write(
            &folder.join(CONNECTION_FILE),
            &serde_json::to_vec_pretty(&connection)?,
        )?;
        Ok(Self {
            driver: Driver::start(core),
            server,
        })
    }

    /// Commits what was ordered, then ends the calls that wait.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        self.driver.shutdown().await?;
        self.server.shutdown().await?;
        Ok(())
    }
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
