//! Ports: bound before anything is started, so that a taken one ends the start, and
//! opened when everything works.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    path::Path,
};

use anyhow::Context;
use tokio::net::{TcpListener, TcpSocket};

/// How many connections may wait to be taken.
const BACKLOG: u32 = 1024;

/// A port that is ours, and on which nothing is answered yet.
#[derive(Debug)]
pub struct Bound {
    socket: TcpSocket,
    address: SocketAddr,
}

/// Binds a port; 0 takes a free one.
///
/// # Errors
/// If it is taken; the error names the address and the setting.
pub fn bind(host: IpAddr, port: u16, setting: &str) -> anyhow::Result<Bound> {
    let address = SocketAddr::new(host, port);
    let bound = || -> io::Result<Bound> {
        let socket = if host.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let address = socket.local_addr()?;
        Ok(Bound { socket, address })
    };
    bound().with_context(|| format!("cannot listen on {address} (setting {setting})"))
}

impl Bound {
    /// The address, with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens the port.
    ///
    /// # Errors
    /// If somebody else opened it since it was bound.
    pub fn open(self) -> anyhow::Result<TcpListener> {
        let address = self.address;
        self.socket
            .listen(BACKLOG)
            .with_context(|| format!("cannot listen on {address}"))
    }
}

/// Where a role tells its ports: `ports.json` for a process that runs everything.
pub fn ports_file(role: &str) -> String {
    match role {
        "gx" => "ports.json".to_owned(),
        role => format!("{role}.ports.json"),
    }
}

/// Removes what an earlier process of the role wrote of its ports.
///
/// # Errors
/// If the file is there and cannot be removed.
pub fn forget_ports(data_dir: &Path, role: &str) -> anyhow::Result<()> {
    let path = data_dir.join(ports_file(role));
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", path.display()))
        }
        _ => Ok(()),
    }
}

/// Writes which ports were taken, for whoever asked for free ones.
///
/// # Errors
/// If the file cannot be written.
pub fn write_ports(data_dir: &Path, role: &str, ports: &BTreeMap<&str, u16>) -> anyhow::Result<()> {
    let path = data_dir.join(ports_file(role));
    let part = path.with_extension("json.part");
    std::fs::write(&part, serde_json::to_vec_pretty(ports)?)?;
    std::fs::rename(&part, &path).with_context(|| format!("{} cannot be written", path.display()))
}
