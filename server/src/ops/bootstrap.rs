//! `gx bootstrap`: what a system needs once, before roles in processes of their own
//! answer anybody: the ledger's first two commands and the first SUPER_ADMIN.
//!
//! A submitter and a projector must run beside it. Asked again, it finds everything
//! done.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::report::Report;
use crate::{
    audit,
    clock::SystemClock,
    config::Config,
    identity,
    outbox::{Intake, intake},
    start::{self, Base},
};

/// How to wait.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How many seconds the ledger may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub timeout_s: u64,
}

/// What stands afterwards.
#[derive(Debug, Serialize)]
pub struct Bootstrapped {
    /// Where the initial password of `root` is, until it is changed.
    pub password_file: Option<PathBuf>,
}

/// Bootstraps.
///
/// # Errors
/// If the database fails, or the ledger refuses or does not do it in time.
pub async fn run(config: Config, options: Options) -> anyhow::Result<Bootstrapped> {
    let base = Base::open(config, Arc::new(SystemClock)).await?;
    let shutdown = CancellationToken::new();
    let (intake, line) = Intake::new(&base.config.intake);
    let (trail, writer) = audit::trail();
    let taking = tokio::spawn(intake::run(
        line,
        base.folder(),
        base.config.intake.clone(),
        shutdown.clone(),
    ));
    let writing = tokio::spawn(writer.run(base.store.clone(), shutdown.clone()));
    let app = base.app(intake, trail).await?;
    let timeout = Duration::from_secs(options.timeout_s);
    let done = tokio::time::timeout(timeout, start::first_start(&app)).await;
    shutdown.cancel();
    taking.await?;
    writing.await?;
    done.with_context(|| {
        let seconds = options.timeout_s;
        format!("not decided after {seconds} s; do a submitter and a projector run?")
    })??;
    let password_file = app.data_dir.join(identity::PASSWORD_FILE);
    Ok(Bootstrapped {
        password_file: password_file.exists().then_some(password_file),
    })
}

impl Report for Bootstrapped {
    fn is_sound(&self) -> bool {
        true
    }
}

impl fmt::Display for Bootstrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the system is bootstrapped")?;
        match &self.password_file {
            Some(path) => write!(f, "; the password of `root`: {}", path.display()),
            None => Ok(()),
        }
    }
}
