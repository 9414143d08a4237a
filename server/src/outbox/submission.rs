//! A checked command on its way into the outbox.

use std::sync::Arc;

use async_trait::async_trait;
use gx_proto::gx::{common::v1::Reason, contract::v1::command::Body, operation::v1::OperationType};
use prost::Message;
use sea_orm::DatabaseTransaction;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{audit, error::Result, id::CommandId};

/// A command that a handler has checked, for the intake to take.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Derived from owner and request_id.
    pub id: CommandId,
    /// Who asks: a user's id, or `system`.
    pub owner: String,
    /// What the client named it.
    pub request_id: Uuid,
    /// [`request_digest`] of what the client sent.
    pub request_digest: [u8; 32],
    /// What kind of command it is.
    pub kind: OperationType,
    /// The lane that orders it, such as `partner/3`.
    pub lane: String,
    /// What the contract is asked to do.
    pub body: Body,
    /// What acceptance changes besides.
    pub acceptance: Acceptance,
    /// A text for both sides that stays off the chain.
    pub memo: Option<String>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// The audit row, written in the intake's transaction; its outcome becomes
    /// the refusal's reason if the command is refused at the door.
    pub audit: audit::Entry,
}

/// What accepting a command changes, in the intake's transaction. Settling takes
/// it back as the command's outcome demands.
#[derive(Debug, Clone)]
pub enum Acceptance {
    /// Nothing.
    Nothing,
    /// Holds money of an account; released by any outcome.
    Hold {
        /// The account, whose wallet must be active.
        account: String,
        /// Amount and greatest fee, in Qirat.
        qirat: i64,
    },
    /// What a service does in its own tables.
    Service(Arc<dyn Accept>),
}

/// A service's part of accepting a command.
#[async_trait]
pub trait Accept: std::fmt::Debug + Send + Sync {
    /// Locks, checks and changes the service's rows. A refusal is final and kept
    /// in the operation; the transaction goes on, so nothing may have been
    /// changed then.
    ///
    /// # Errors
    /// If the database fails; the command is then not taken.
    async fn accept_in(
        &self,
        tx: &DatabaseTransaction,
        operation: CommandId,
    ) -> Result<Result<(), Refusal>>;
}

/// Why a command was refused for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The reason that the caller is told.
    pub reason: Reason,
    /// What clients may want to know beside it.
    pub metadata: Vec<(&'static str, String)>,
}

impl Refusal {
    /// A refusal without metadata.
    pub fn new(reason: Reason) -> Self {
        Self {
            reason,
            metadata: Vec::new(),
        }
    }

    /// Adds metadata.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.metadata.push((key, value.into()));
        self
    }
}

impl Refusal {
    /// The metadata as a JSON object of strings.
    pub fn metadata_json(&self) -> String {
        let object: serde_json::Map<String, serde_json::Value> = self
            .metadata
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone().into()))
            .collect();
        serde_json::Value::Object(object).to_string()
    }
}

/// The digest of what the client sent: the method and the decoded message, without
/// its request_id, which the command's id stands for. The same request sent again
/// has the same digest; the same request_id with another is refused.
pub fn request_digest(method: &str, message: &impl Message) -> [u8; 32] {
    let mut hasher = Sha256::new_with_prefix(b"gx request\0");
    hasher.update((method.len() as u64).to_be_bytes());
    hasher.update(method);
    hasher.update(message.encode_to_vec());
    hasher.finalize().into()
}
