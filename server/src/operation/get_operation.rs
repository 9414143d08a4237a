//! `GetOperation`: one operation as it is now.

use gx_proto::gx::operation::v1::{GetOperationRequest, Operation};
use uuid::Uuid;

use super::query;
use crate::{
    app::App,
    auth::Caller,
    error::{Error, Result, Violations},
    outbox::operation::{self, parse_name},
};

/// An operation to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GetOperation {
    id: Uuid,
}

impl TryFrom<GetOperationRequest> for GetOperation {
    type Error = Error;

    fn try_from(message: GetOperationRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let id = violations.take("name", parse_name(&message.name));
        violations.finish(id.map(|id| Self { id }))
    }
}

impl GetOperation {
    /// What it is about, for the audit log.
    pub(super) fn subject(&self) -> String {
        operation::name(self.id)
    }

    pub(super) async fn handle(self, app: &App, caller: &Caller) -> Result<Operation> {
        query::find(app, caller, self.id).await
    }
}
