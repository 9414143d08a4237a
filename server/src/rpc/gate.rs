//! What all calls of one port share.

use std::{fmt::Debug, sync::Arc};

use async_trait::async_trait;
use tokio::sync::Semaphore;

use crate::{
    app::{App, Rooms},
    audit::Trail,
    auth::{Authenticator, Caller, policy::Rule},
    clock::SharedClock,
    config::Limits,
    error::Result,
    limits::RateLimits,
    store::Store,
};

/// Finds who calls. Tests put themselves here.
#[async_trait]
pub(super) trait Callers: Debug + Send + Sync {
    /// The caller whom the `authorization` header names.
    async fn caller(&self, authorization: Option<&str>) -> Result<Caller>;
}

#[async_trait]
impl Callers for Authenticator {
    async fn caller(&self, authorization: Option<&str>) -> Result<Caller> {
        Authenticator::caller(self, authorization).await
    }
}

/// What all calls of one port share.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) name: &'static str,
    pub(super) services: Vec<&'static str>,
    pub(super) callers: Box<dyn Callers>,
    pub(super) clock: SharedClock,
    pub(super) limits: Limits,
    pub(super) origins: Vec<String>,
    pub(super) rates: RateLimits,
    pub(super) store: Store,
    pub(super) trail: Trail,
    pub(super) working: Semaphore,
    pub(super) waiting: Semaphore,
    pub(super) rooms: Arc<Rooms>,
}

impl Gate {
    pub(super) fn new(app: &App, name: &'static str, services: Vec<&'static str>) -> Self {
        let limits = app.config.limits.clone();
        Self {
            name,
            services,
            callers: Box::new(app.auth.clone()),
            clock: app.clock.clone(),
            rates: app.rates.clone(),
            store: app.store.clone(),
            trail: app.trail.clone(),
            working: Semaphore::new(limits.concurrency),
            waiting: Semaphore::new(limits.concurrency),
            rooms: app.rooms.clone(),
            origins: app.config.listen.origins.clone(),
            limits,
        }
    }

    /// Whether this port serves the rule's method.
    pub(super) fn serves(&self, rule: &Rule) -> bool {
        self.services.contains(&service(rule))
    }

    /// The `service` of metrics and logs: whose the method is, whichever port
    /// serves it; this port's for methods that every role serves.
    pub(super) fn service_of(&self, rule: Option<&Rule>) -> &'static str {
        match rule.map(service) {
            Some("gx.identity.v1.IdentityService") => "svc-identity",
            Some("gx.wallet.v1.WalletService") => "svc-wallet",
            Some("gx.tokenomics.v1.TokenomicsService" | "gx.ledger.v1.LedgerService") => {
                "svc-tokenomics"
            }
            _ => self.name,
        }
    }
}

/// The full name of a method's service.
fn service(rule: &Rule) -> &'static str {
    let path = rule.method.trim_start_matches('/');
    path.split('/').next().unwrap_or_default()
}
