//! What the contract is given: the ledger's state, and who calls when.

use gx_proto::gx::contract::v1::StateDatabase;

/// The world state as one transaction sees it. Implementations record what is
/// read and written; nothing here reads its own writes, as on Fabric.
pub trait State {
    /// Announces keys that are about to be read, so that an implementation with
    /// round trips may fetch them in one go. Counts as reading them.
    fn prefetch(&mut self, keys: &[String]) -> Result<(), StateError>;

    /// Reads the committed value of a key.
    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, StateError>;

    /// Reads at most `limit` committed keys in `start..end`, in order of their bytes.
    fn range(
        &mut self,
        start: &str,
        end: &str,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, StateError>;

    /// Writes a key when the transaction commits.
    fn put(&mut self, key: String, value: Vec<u8>);

    /// Removes a key when the transaction commits.
    fn delete(&mut self, key: String);

    /// What runs the contract, for answers to questions alone: peers may differ in it.
    fn host(&mut self) -> Host {
        Host::default()
    }
}

/// What runs the contract.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Host {
    /// Whether many keys go in one message.
    pub batched_operations: bool,
    /// Its clock in milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// Where the peer keeps its state.
    pub state_database: StateDatabase,
}

/// The state could not be read; says nothing about the batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("state cannot be read: {0}")]
pub struct StateError(pub String);

/// The role that a certificate's attribute `gxc_role` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChainRole {
    /// `gx_partner_api`: commands of users.
    Partner,
    /// `gx_admin`: commands of staff.
    Admin,
    /// `gx_super_admin`: commands of the system.
    SuperAdmin,
}

impl ChainRole {
    /// Parses the attribute's value.
    pub fn from_attribute(value: &str) -> Option<Self> {
        match value {
            "gx_partner_api" => Some(Self::Partner),
            "gx_admin" => Some(Self::Admin),
            "gx_super_admin" => Some(Self::SuperAdmin),
            _ => None,
        }
    }

    /// The attribute's value.
    pub fn attribute(self) -> &'static str {
        match self {
            Self::Partner => "gx_partner_api",
            Self::Admin => "gx_admin",
            Self::SuperAdmin => "gx_super_admin",
        }
    }
}

/// Who submits a batch, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The transaction's time in milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
    /// The MSP of the submitter.
    pub msp_id: String,
    /// The submitter's role; `None` if the certificate has no such attribute.
    pub role: Option<ChainRole>,
}
