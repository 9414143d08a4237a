//! `gx enroll`: gets the certificates under which GX submits from a Fabric CA, and
//! later ones before they end.
//!
//! With `--once` it looks once, tells, and exits with 1 if an identity has no
//! certificate or could not get a later one. Without, it stays beside the processes
//! that use the certificates, which take each change by themselves, and tells by
//! metrics and readiness.

mod identity;
mod keeper;
mod stay;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{report::Report, table::Table};
use crate::{clock::SystemClock, config::Config};
use keeper::Keeper;
pub use stay::stay;

/// How `gx enroll` runs.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Looks once and ends, instead of staying.
    #[arg(long)]
    pub once: bool,
}

/// What was done for each identity.
#[derive(Debug, Serialize)]
pub struct Found {
    identities: Vec<Line>,
}

/// One identity.
#[derive(Debug, Clone, Serialize)]
struct Line {
    identity: &'static str,
    outcome: Outcome,
    /// Until when its certificate holds, in milliseconds since the Unix epoch.
    not_after_ms: Option<i64>,
    /// Why it failed.
    error: Option<String>,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    /// Its certificate holds for long enough.
    Kept,
    /// It had none that holds, and has one now.
    Enrolled,
    /// It has a later one.
    Renewed,
    /// It should have another one and has not.
    Failed,
}

/// Looks once.
///
/// # Errors
/// If the settings name no authority, or one that cannot be used.
pub async fn once(config: Config, _: Options) -> anyhow::Result<Found> {
    let mut keeper = Keeper::new(&config, Arc::new(SystemClock))?;
    Ok(keeper.look().await)
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Enrolled => "enrolled",
            Self::Renewed => "renewed",
            Self::Failed => "failed",
        }
    }
}

impl Report for Found {
    fn is_sound(&self) -> bool {
        let mut lines = self.identities.iter();
        lines.all(|line| line.outcome != Outcome::Failed)
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&["identity", "holds until", "outcome"]);
        for line in &self.identities {
            let outcome = line.outcome.name();
            let error = line.error.as_ref();
            table.row([
                line.identity.to_owned(),
                line.not_after_ms.map_or_else(|| "-".to_owned(), date),
                error.map_or_else(|| outcome.to_owned(), |why| format!("{outcome}: {why}")),
            ]);
        }
        table.fmt(f)
    }
}

fn date(ms: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(ms.div_euclid(1_000));
    let text = time.ok().and_then(|time| time.format(&Rfc3339).ok());
    text.unwrap_or_else(|| format!("{ms} ms"))
}
