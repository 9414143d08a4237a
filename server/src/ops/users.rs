//! `gx users unlock`: lets in again whoever a login is locked for.

use std::fmt;

use serde::Serialize;

use super::{open, report::Report};
use crate::{
    clock::{Clock, SystemClock},
    config::Config,
    identity::{self, Unlocked},
    secrets::Secrets,
};

/// Whom to unlock.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The contact that signs in, in any spelling.
    contact: String,
}

/// What stands afterwards.
#[derive(Debug, Serialize)]
pub struct Answer {
    user: Option<String>,
    failures: bool,
}

/// Forgets the failed logins of a contact, and with them its locks. Needs the keys in
/// `data_dir`, since rows name a contact by a keyed hash.
///
/// # Errors
/// If the keys or the database cannot be had, or the contact is none.
pub async fn unlock(config: Config, options: Options) -> anyhow::Result<Answer> {
    let store = open::store_to_write(&config).await?;
    let secrets = Secrets::load_existing(&config.keys_dir())?;
    let now_ms = SystemClock.now_ms();
    let Unlocked { user, failures } =
        identity::unlock(&store, &secrets, now_ms, &options.contact).await?;
    Ok(Answer { user, failures })
}

impl Report for Answer {}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.user {
            Some(user) => write!(f, "{user}: ")?,
            None => write!(f, "nobody has this contact: ")?,
        }
        match self.failures {
            true => write!(f, "failed logins are forgotten"),
            false => write!(f, "there were no failed logins"),
        }
    }
}
