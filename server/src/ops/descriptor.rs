//! `gx descriptor`: the interface as a file, for linters, gateways and clients
//! that cannot ask the server for it.

use std::{fmt, path::PathBuf};

use anyhow::Context as _;
use gx_proto::FILE_DESCRIPTOR_SET;
use serde::Serialize;

use super::report::Report;

/// Where to write.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
}

/// The file that was written.
#[derive(Debug, Serialize)]
pub struct Written {
    file: PathBuf,
    bytes: usize,
}

/// Writes the encoded `google.protobuf.FileDescriptorSet`, with imports, options
/// and comments.
///
/// # Errors
/// If the file cannot be written.
pub fn write(options: &Options) -> anyhow::Result<Written> {
    let file = options.output.clone();
    std::fs::write(&file, FILE_DESCRIPTOR_SET)
        .with_context(|| format!("{} cannot be written", file.display()))?;
    Ok(Written {
        file,
        bytes: FILE_DESCRIPTOR_SET.len(),
    })
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} bytes", self.file.display(), self.bytes)
    }
}

impl Report for Written {}
