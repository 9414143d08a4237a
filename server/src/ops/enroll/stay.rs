//! Stays and looks again and again. Readiness and metrics tell what the last look
//! found.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::{Found, Line, Outcome, keeper::Keeper};
use crate::{
    clock::{SharedClock, SystemClock},
    config::Config,
    listen,
    telemetry::{self, Readiness, State},
};

/// Keeps the identities until `shutdown`.
///
/// # Errors
/// If the settings cannot be used, or the port of the metrics is taken.
pub async fn stay(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let clock: SharedClock = Arc::new(SystemClock);
    let recorder = telemetry::init(&config, "enroll", clock.clone())?;
    let mut keeper = Keeper::new(&config, clock.clone())?;
    let bound = listen::bind(config.listen.host, config.listen.metrics, "listen.metrics")?;
    let (port, readiness) = (bound.address().port(), Readiness::default());
    let serving = tokio::spawn(telemetry::serve_metrics(
        bound.open()?,
        recorder,
        readiness.clone(),
        shutdown.clone(),
    ));
    tracing::info!(metrics = port, "identities are kept");
    let mut ticks = tokio::time::interval(Duration::from_secs(config.enroll.check_s));
    let looking = async {
        loop {
            ticks.tick().await;
            tell(&keeper.look().await, &readiness, clock.now_ms());
        }
    };
    let _: Option<()> = shutdown.run_until_cancelled(looking).await;
    serving.await.context("the server of metrics broke")?
}

fn tell(found: &Found, readiness: &Readiness, now_ms: i64) {
    for line in &found.identities {
        let Line {
            identity, outcome, ..
        } = line;
        match (outcome, &line.error) {
            (Outcome::Kept, _) => {}
            (_, Some(error)) => tracing::warn!(identity, error, "no certificate was got"),
            _ => tracing::info!(identity, outcome = outcome.name(), "there is a certificate"),
        }
        readiness.set(format!("identity.{identity}"), state(line, now_ms));
    }
}

/// An identity that cannot renew still works; one that has ended does not.
fn state(line: &Line, now_ms: i64) -> State {
    let holds = line.not_after_ms.is_some_and(|until_ms| until_ms >= now_ms);
    match line.error.clone() {
        None => State::Ready,
        Some(error) if holds => State::Degraded(error),
        Some(error) => State::NotReady(error),
    }
}
