//! `GetTransaction`: one Fabric transaction as its reader may see it.

use gx_proto::gx::ledger::v1::{GetTransactionRequest, GetTransactionResponse};

use super::{
    entity::transaction,
    proto::transaction_name,
    query,
    sight::{Filter, Sight},
};
use crate::{
    app::App,
    auth::Caller,
    checkpoint,
    error::{Error, Result, Violations},
    moment::Moment,
};

/// A transaction to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GetTransaction {
    fabric_tx_id: String,
    min_block: u64,
}

impl TryFrom<GetTransactionRequest> for GetTransaction {
    type Error = Error;

    fn try_from(message: GetTransactionRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let id = violations.take("name", parse_name(&message.name));
        violations.finish(id.map(|id| Self {
            fabric_tx_id: id.to_owned(),
            min_block: message.min_block,
        }))
    }
}

impl GetTransaction {
    /// What it is about, for the audit log.
    pub(super) fn subject(&self) -> String {
        transaction_name(&self.fabric_tx_id)
    }

    pub(super) async fn handle(self, app: &App, caller: &Caller) -> Result<GetTransactionResponse> {
        let moment = Moment::of_all(app, self.min_block).await?;
        let end = checkpoint::applied(&moment.tx).await?;
        let end = i64::try_from(end).unwrap_or(i64::MAX);
        let row = transaction::Entity::named(&self.fabric_tx_id, end);
        let row = row.one(&moment.tx).await?;
        let row = row.ok_or_else(|| Error::not_found(self.subject()))?;
        let batch = query::batches(&moment.tx, vec![row]).await?.pop();
        Ok(GetTransactionResponse {
            transaction: batch.map(|batch| batch.view(Sight::of(caller), &Filter::default())),
            as_of_block: moment.as_of_block,
        })
    }
}

fn parse_name(name: &str) -> Result<&str, &'static str> {
    name.strip_prefix("transactions/")
        .filter(|id| id.len() == 64 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
        .ok_or("must be transactions/ and 64 lower-case hexadecimal digits")
}
