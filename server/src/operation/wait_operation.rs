//! `WaitOperation`: an operation as soon as it has an outcome.

use std::time::Duration;

use gx_proto::gx::operation::v1::{Operation, WaitOperationRequest};
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::query;
use crate::{
    app::App,
    auth::Caller,
    error::{Error, Result, Violations},
    outbox::operation::parse_name,
};

/// How long to wait where nothing is asked for.
const TIMEOUT_DEFAULT_MS: u32 = 10_000;
/// How long to wait at most.
const TIMEOUT_MAX_MS: u32 = 60_000;
/// How often to look where no wake-up comes: the projector may run in another
/// process, and a wake-up may be lost.
const POLL: Duration = Duration::from_secs(1);

/// An operation to wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WaitOperation {
    id: Uuid,
    timeout: Duration,
}

impl TryFrom<WaitOperationRequest> for WaitOperation {
    type Error = Error;

    fn try_from(message: WaitOperationRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let id = violations.take("name", parse_name(&message.name));
        let timeout = violations.take("timeout_ms", parse_timeout(message.timeout_ms));
        let wait = || {
            Some(Self {
                id: id?,
                timeout: timeout?,
            })
        };
        violations.finish(wait())
    }
}

impl WaitOperation {
    /// What it is about, for the audit log.
    pub(super) fn subject(&self) -> String {
        crate::outbox::operation::name(self.id)
    }

    pub(super) async fn handle(self, app: &App, caller: &Caller) -> Result<Operation> {
        let deadline = Instant::now() + self.timeout;
        let mut projected = app.wake.projected();
        loop {
            // Before looking, so that no move after it is missed.
            projected.mark_unchanged();
            let operation = query::find(app, caller, self.id).await?;
            let left = deadline.saturating_duration_since(Instant::now());
            if query::is_final(operation.state) || left.is_zero() {
                return Ok(operation);
            }
            // Woken, or time to look again: both are answered by looking.
            let _ = timeout(left.min(POLL), projected.changed()).await;
        }
    }
}

fn parse_timeout(ms: u32) -> Result<Duration, &'static str> {
    match ms {
        0 => Ok(Duration::from_millis(TIMEOUT_DEFAULT_MS.into())),
        1..=TIMEOUT_MAX_MS => Ok(Duration::from_millis(ms.into())),
        _ => Err("must be 0 to 60000"),
    }
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::{common::v1::Reason, operation::v1::OperationState};
    use sea_orm::ActiveValue::Set;

    use super::*;
    use crate::{
        fixture,
        outbox::{self, entity::operation},
    };

    const ID: Uuid = Uuid::from_u128(1);

    fn wait(id: Uuid, timeout_ms: u32) -> WaitOperation {
        let name = outbox::operation::name(id);
        WaitOperation::try_from(WaitOperationRequest { name, timeout_ms }).unwrap()
    }

    /// An accepted operation of user 1.
    async fn world() -> App {
        let app = fixture::app().await;
        let row = fixture::transfer(ID, &fixture::user(1), OperationState::Accepted);
        fixture::record(&app, row).await;
        app
    }

    #[tokio::test]
    async fn waiting_ends_when_the_outcome_is_there() {
        let app = world().await;
        let waiting = tokio::spawn({
            let app = app.clone();
            async move { wait(ID, 60_000).handle(&app, &fixture::user(1)).await }
        });
        // Moves that bring no outcome do not end it.
        app.wake.moved();
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        fixture::change::<operation::Entity>(&app, ID, |row| {
            row.state = Set(OperationState::Succeeded.into());
        })
        .await;
        app.wake.moved();
        // Sooner than the next poll, so the wake-up did it.
        let operation = timeout(POLL / 2, waiting).await.unwrap().unwrap().unwrap();
        assert_eq!(operation.state(), OperationState::Succeeded);
    }

    #[tokio::test]
    async fn waiting_ends_in_time_without_an_error() {
        let app = world().await;
        let operation = wait(ID, 1).handle(&app, &fixture::user(1)).await.unwrap();
        assert_eq!(operation.state(), OperationState::Accepted);
    }

    #[tokio::test]
    async fn lane_that_holds_shows_as_stalled() {
        let app = world().await;
        fixture::first_lane(&app, Some("the chain forked")).await;
        let seen = query::find(&app, &fixture::user(1), ID).await.unwrap();
        assert_eq!(seen.state(), OperationState::Stalled);

        fixture::change::<operation::Entity>(&app, ID, |row| {
            row.state = Set(OperationState::Refused.into());
        })
        .await;
        let seen = query::find(&app, &fixture::user(1), ID).await.unwrap();
        assert_eq!(seen.state(), OperationState::Refused);
    }

    #[tokio::test]
    async fn stranger_s_operation_looks_like_none() {
        let app = world().await;
        for id in [ID, Uuid::from_u128(2)] {
            let error = wait(id, 60_000)
                .handle(&app, &fixture::user(2))
                .await
                .unwrap_err();
            assert_eq!(error.reason(), Reason::NotFound);
            let expected = Error::not_found(outbox::operation::name(id));
            assert_eq!(error.to_string(), expected.to_string());
        }
        query::find(&app, &fixture::auditor(), ID).await.unwrap();
    }

    #[test]
    fn all_violations_are_told_at_once() {
        let error = WaitOperation::try_from(WaitOperationRequest {
            name: "operations/1".to_owned(),
            timeout_ms: 60_001,
        });
        assert_eq!(
            fixture::violated(error.unwrap_err()),
            ["name", "timeout_ms"]
        );
    }
}
