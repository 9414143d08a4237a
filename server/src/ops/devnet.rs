//! `gx devnet connection`: what a client of the devnet needs. Beside it, `gx devnet
//! inspect`.

mod inspect;

use std::fmt;

use gx_fabric::devnet::Connection;
use serde::Serialize;

pub use inspect::{Inspected, Options as InspectOptions, inspect};

use super::report::Report;
use crate::{config::Config, network};

/// Nothing to choose.
#[derive(Debug, clap::Args)]
pub struct Options {}

/// Endpoint, names, and the files of certificates and keys, by organization.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Told(Connection);

/// Reads what the devnet wrote of itself when it began to listen.
///
/// # Errors
/// If no devnet has run on this data_dir.
pub async fn connection(config: Config, _: Options) -> anyhow::Result<Told> {
    Ok(Told(network::connection(&config)?))
}

impl Report for Told {
    fn is_sound(&self) -> bool {
        true
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string_pretty(&self.0).map_err(|_| fmt::Error)?;
        f.write_str(&json)
    }
}
