//! `gx chaincode package`: what an operator installs on peers, so that they find
//! `gx chaincode`. The same options make the same file and the same id.

use std::{
    fmt, fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use gx_fabric::chaincode::package::{self, Connection};
use serde::Serialize;

use super::report::Report;

/// What stands in the package.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The package's name and version, such as gx_1.0.
    #[arg(long)]
    label: String,
    /// Where peers dial.
    #[arg(long, value_name = "HOST:PORT")]
    address: String,
    /// How long peers try to.
    #[arg(long, value_name = "MS", default_value_t = 10_000)]
    dial_timeout_ms: u64,
    /// Who issued the server's certificate, in PEM; with it peers speak TLS.
    #[arg(long, value_name = "FILE")]
    tls_root: Option<PathBuf>,
    /// The certificate that peers show, in PEM.
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_root",
        requires = "tls_client_key"
    )]
    tls_client_certificate: Option<PathBuf>,
    /// Its key, in PEM. Whoever has the package has it.
    #[arg(long, value_name = "FILE", requires = "tls_client_certificate")]
    tls_client_key: Option<PathBuf>,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// The package that was written.
#[derive(Debug, Serialize)]
pub struct Written {
    file: PathBuf,
    package_id: String,
}

/// Writes the package; readable by its owner alone if it holds a key.
///
/// # Errors
/// If a file cannot be read or written, or peers would refuse the package.
pub fn package(options: &Options) -> anyhow::Result<Written> {
    let package = package::package(&options.label, &connection(options)?)?;
    let mode = match options.tls_client_key {
        Some(_) => 0o600,
        None => 0o644,
    };
    write(&options.out, &package.bytes, mode)
        .with_context(|| format!("{} cannot be written", options.out.display()))?;
    Ok(Written {
        file: options.out.clone(),
        package_id: package.id,
    })
}

fn connection(options: &Options) -> anyhow::Result<Connection> {
    let dial_timeout = Duration::from_millis(options.dial_timeout_ms);
    let plain = Connection::plain(&options.address, dial_timeout)?;
    let Some(root) = &options.tls_root else {
        return Ok(plain);
    };
    let client = options
        .tls_client_certificate
        .as_ref()
        .zip(options.tls_client_key.as_ref())
        .map(|(certificate, key)| anyhow::Ok((read(certificate)?, read(key)?)));
    Ok(plain.with_tls(read(root)?, client.transpose()?))
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// Never writes over a file whose mode is another.
fn write(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    file.write_all(bytes)
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.package_id)
    }
}

impl Report for Written {}
