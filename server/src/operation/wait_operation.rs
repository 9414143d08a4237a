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
