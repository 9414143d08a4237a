//! Log lines.

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::{clock::SharedClock, config::Log};

/// Installs the subscriber of this process.
///
/// # Errors
/// If there is one already, or the filter cannot be read.
pub fn install(log: &Log, _service: &'static str, _clock: SharedClock) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.filter).context("log.filter")?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .try_init()
        .map_err(|error| anyhow::anyhow!(error))
}
