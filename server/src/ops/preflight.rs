//! `gx preflight`: whether a process would find what it needs, looked at from where it
//! would run: the names and ports of peers, their TLS, who may speak, the channel, the
//! contract, clocks, the database's schema and its copy, whether the database and the
//! chain belong together, and Redis.
//!
//! Everything is looked at, whatever fails before; nothing is changed.

mod database;
mod ledger;
mod peers;
mod redis;

use std::fmt;

use serde::Serialize;

use super::{report::Report, table::Table};
use crate::{
    clock::{Clock, SystemClock},
    config::Config,
    network,
};

/// Nothing to choose: the settings say what is looked at.
#[derive(Debug, clap::Args)]
pub struct Options {}

/// Everything that was looked at.
#[derive(Debug, Serialize)]
pub struct Preflight {
    /// In the order in which one thing needs another.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What it is.
    pub what: String,
    /// Whether it is as it must be.
    pub verdict: Verdict,
    /// What was seen.
    pub seen: String,
}

/// Whether something is as it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is.
    Ok,
    /// It works, and somebody should know.
    Warning,
    /// It does not work.
    Failed,
}

/// Looks at everything.
///
/// # Errors
/// Never: what cannot be looked at is a check that failed.
pub async fn run(config: Config, _: Options) -> anyhow::Result<Preflight> {
    let mut checks = Vec::new();
    let now_ms = SystemClock.now_ms();
    match network::connect(&config) {
        Ok(client) => {
            checks.extend(peers::identities(client.identities(), now_ms));
            checks.extend(peers::look(&client).await);
            checks.extend(ledger::contract(&client, now_ms).await);
            checks.extend(ledger::endorsements(&client).await);
            checks.extend(database::look(&config, Some(&client)).await);
        }
        Err(error) => {
            checks.push(Check::failed("network", format!("{error:#}")));
            checks.extend(database::look(&config, None).await);
        }
    }
    checks.extend(redis::look(&config).await);
    Ok(Preflight { checks })
}

impl Check {
    fn new(what: impl Into<String>, verdict: Verdict, seen: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            verdict,
            seen: seen.into(),
        }
    }

    fn ok(what: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::new(what, Verdict::Ok, seen)
    }

    fn warning(what: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::new(what, Verdict::Warning, seen)
    }

    fn failed(what: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::new(what, Verdict::Failed, seen)
    }

    /// A check that holds if something could be done.
    fn of<T, E: fmt::Display>(
        what: impl Into<String>,
        done: Result<T, E>,
        seen: impl FnOnce(T) -> String,
    ) -> Self {
        match done {
            Ok(done) => Self::ok(what, seen(done)),
            Err(error) => Self::failed(what, error.to_string()),
        }
    }
}

impl Report for Preflight {
    fn is_sound(&self) -> bool {
        let failed = |check: &Check| check.verdict == Verdict::Failed;
        !self.checks.iter().any(failed)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Warning => "WARNING",
            Self::Failed => "FAILED",
        })
    }
}

impl fmt::Display for Preflight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&["", "what", "seen"]);
        for check in &self.checks {
            let Check {
                what,
                verdict,
                seen,
            } = check;
            table.row([verdict.to_string(), what.clone(), seen.clone()]);
        }
        write!(f, "{table}")
    }
}
