//! Whether the sessions of open calls still last.

use async_trait::async_trait;
use gx_proto::gx::common::v1::Reason;
use uuid::Uuid;

use super::Look;
use crate::{app::App, auth::session, error::Result};

/// Looks at sessions: why one has ended; `None` while it lasts.
#[derive(Debug)]
pub(super) struct Sessions;

#[async_trait]
impl Look for Sessions {
    type Key = Uuid;
    type Value = Option<Reason>;

    async fn look(&self, app: &App, keys: &[Uuid]) -> Result<Vec<(Uuid, Option<Reason>)>> {
        session::ended(app.store.read(), app.clock.now_ms(), keys).await
    }
}
