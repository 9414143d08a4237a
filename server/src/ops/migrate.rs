//! `gx migrate`: brings the database's schema up to date before roles start, where
//! their own starts must not (`database.migrate`).

use std::fmt;

use anyhow::Context as _;
use serde::Serialize;

use super::report::Report;
use crate::{config::Config, store};

/// What was done.
#[derive(Debug, Serialize)]
pub struct Migrated {
    /// The migrations that the database lacked, in order.
    applied: Vec<String>,
}

/// Migrates; asked again, it finds everything done.
///
/// # Errors
/// If the database cannot be reached or migrated.
pub async fn run(config: Config, (): ()) -> anyhow::Result<Migrated> {
    let places = config.database().map_err(anyhow::Error::msg)?;
    let applied = store::migrate(&places.url)
        .await
        .context("the database cannot be migrated (setting database.url)")?;
    Ok(Migrated { applied })
}

impl Report for Migrated {}

impl fmt::Display for Migrated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.applied[..] {
            [] => write!(f, "the schema is up to date"),
            applied => write!(f, "migrated: {}", applied.join(", ")),
        }
    }
}
