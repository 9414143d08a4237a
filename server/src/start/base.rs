//! What every process that has the database begins with.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context;

use super::topology;
use crate::{
    app::{App, Rooms, Topology},
    audit,
    auth::{Authenticator, Passwords},
    cache::{Answers, Redis, Wake},
    clock::SharedClock,
    config::Config,
    identity,
    limits::RateLimits,
    notifier::Notifier,
    outbox::{Folder, Intake},
    secrets::Secrets,
    store::Store,
    telemetry::Readiness,
};

/// What services and workers are built from. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Base {
    /// The settings.
    pub config: Arc<Config>,
    /// Tells the time.
    pub clock: SharedClock,
    /// The database, migrated.
    pub store: Store,
    /// How accounts map to lanes.
    pub topology: Topology,
    /// Wake-ups.
    pub wake: Wake,
    /// What processes share to be quick, where there is one.
    pub redis: Option<Redis>,
    /// How the parts of this process are.
    pub readiness: Readiness,
    /// Where the files of this process live.
    pub data_dir: PathBuf,
}

impl Base {
    /// Opens the database, migrates it and makes its fixed rows.
    ///
    /// # Errors
    /// If it cannot be opened, or the settings disagree with it.
    pub async fn open(config: Config, clock: SharedClock) -> anyhow::Result<Self> {
        let places = config.database().map_err(anyhow::Error::msg)?;
        let store = Store::open_at(&places)
            .await
            .context("the database cannot be opened (setting database.url)")?;
        Ok(Self {
            topology: topology(&store, &config).await?,
            data_dir: config.data_dir(),
            redis: Redis::new(&config.redis)?,
            config: Arc::new(config),
            clock,
            store,
            wake: Wake::default(),
            readiness: Readiness::default(),
        })
    }

    /// Folds commands into the database.
    pub fn folder(&self) -> Folder {
        Folder {
            store: self.store.clone(),
            clock: self.clock.clone(),
            wake: self.wake.clone(),
        }
    }

    /// What services share, with keys from their folder; they are made where there are
    /// neither keys nor people.
    ///
    /// # Errors
    /// If the keys cannot be had.
    pub async fn app(&self, intake: Intake, trail: audit::Trail) -> anyhow::Result<App> {
        let secrets = if identity::anybody(&self.store).await? {
            Secrets::load_existing(&self.config.keys_dir())?
        } else {
            Secrets::load_or_create(&self.config.keys_dir())?
        };
        let secrets = Arc::new(secrets);
        let config = &self.config;
        let (store, clock) = (self.store.clone(), self.clock.clone());
        Ok(App {
            topology: self.topology,
            auth: Authenticator::new(store.clone(), clock.clone(), secrets.clone(), &config.token),
            passwords: Passwords::new(&config.login),
            notifier: Notifier::new(&self.data_dir),
            payers: Arc::default(),
            rates: RateLimits::new(&config.limits, self.redis.as_ref()),
            rooms: Arc::new(Rooms::new(&config.limits)),
            readiness: self.readiness.clone(),
            wake: self.wake.clone(),
            answers: Answers::new(self.redis.clone()),
            config: config.clone(),
            clock,
            store,
            intake,
            trail,
            secrets,
            data_dir: self.data_dir.clone(),
        })
    }
}
