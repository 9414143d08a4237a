//! What every role shares, built once.

use std::{path::PathBuf, sync::Arc};

use moka::sync::Cache;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::{
    audit::Trail,
    auth::{Authenticator, Passwords, UserId},
    cache::{Answers, Wake},
    clock::SharedClock,
    config::{Config, Limits},
    limits::{RateLimits, Shares},
    notifier::Notifier,
    outbox::Intake,
    secrets::Secrets,
    store::{Gather, Store},
    telemetry::Readiness,
    watch::Watches,
};

/// What every role shares; cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    /// The settings.
    pub config: Arc<Config>,
    /// Tells the time.
    pub clock: SharedClock,
    /// The database.
    pub store: Store,
    /// Wake-ups of workers and waiters.
    pub wake: Wake,
    /// Answers that everybody gets alike.
    pub answers: Answers,
    /// How accounts map to lanes.
    pub topology: Topology,
    /// Knows whose the accounts are that payments come from.
    pub payers: Arc<Payers>,
    /// Takes commands.
    pub intake: Intake,
    /// Where the files of this process live; made, and readable by its owner alone.
    pub data_dir: PathBuf,
    /// The keys of the process.
    pub secrets: Arc<Secrets>,
    /// Issues and verifies access tokens.
    pub auth: Authenticator,
    /// Hashes and verifies passwords.
    pub passwords: Passwords,
    /// Delivers one-time codes and notices.
    pub notifier: Notifier,
    /// Takes lines of the audit log that are written behind the answer.
    pub trail: Trail,
    /// How often callers and addresses may call.
    pub rates: RateLimits,
    /// Places for calls that take more than others.
    pub rooms: Arc<Rooms>,
    /// How the parts of this process are.
    pub readiness: Readiness,
}

/// Whose the accounts are that payments come from.
#[derive(Debug)]
pub struct Payers {
    /// Owners by account, as far as this process has asked. An account that has an owner
    /// keeps it, so none becomes wrong.
    pub known: Cache<String, Uuid>,
    /// Asks for the others.
    pub asked: Gather<String, Uuid>,
}

impl Default for Payers {
    fn default() -> Self {
        Self {
            known: Cache::new(65_536),
            asked: Gather::default(),
        }
    }
}

/// How accounts map to lanes; fixed by the first start. How lanes map to partitions may
/// change at any moment, so it is read with whatever it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topology {
    /// Number of users' lanes.
    pub partner_lanes: u32,
}

/// Places in this process for calls that take more than others: whoever finds none
/// is refused, and the other calls go on.
#[derive(Debug)]
pub struct Rooms {
    /// Uploads under way, and people's downloads; each holds megabytes.
    pub uploads: Arc<Semaphore>,
    /// Batches of transfers under way; each holds hundreds of kilobytes.
    pub batches: Arc<Semaphore>,
    /// The part of both that one caller may have.
    pub large: Shares<UserId>,
    /// Downloads of overseers, whom people cannot crowd out.
    pub downloads: Arc<Semaphore>,
    /// Reads that wait for a block.
    pub waits: Semaphore,
    /// Calls that stay open.
    pub watches: Watches,
}

impl Rooms {
    /// Uploads at once, and people's downloads.
    pub const UPLOADS: u32 = 8;
    /// Overseers' downloads at once.
    pub const DOWNLOADS: u32 = 8;
    /// Batches at once.
    pub const BATCHES: u32 = 32;
    /// Uploads and batches of one caller at once.
    pub const LARGE_OF_ONE: usize = 2;
    /// Waiting reads at once.
    pub const WAITS: u32 = 64;

    /// Rooms as the settings say.
    pub fn new(limits: &Limits) -> Self {
        Self {
            uploads: Arc::new(Semaphore::new(Self::UPLOADS as usize)),
            batches: Arc::new(Semaphore::new(Self::BATCHES as usize)),
            large: Shares::new(Self::LARGE_OF_ONE),
            downloads: Arc::new(Semaphore::new(Self::DOWNLOADS as usize)),
            waits: Semaphore::new(Self::WAITS as usize),
            watches: Watches::new(limits),
        }
    }
}

impl Default for Rooms {
    fn default() -> Self {
        Self::new(&Config::default().limits)
    }
}
