//! Who may call what. Default deny: a method without a row here is refused, and a
//! test fails for a method of the descriptor set without one.

use gx_proto::gx::{common::v1::Reason, identity::v1::Role};

use crate::error::reason_name;

/// Who may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Anybody, rate limited by client address more tightly: these cost a code or
    /// a password verification.
    PublicCostly,
    /// Whoever has one of these roles.
    Roles(&'static [Role]),
}

/// Where the audit row of a successful call is written. Refused calls are recorded
/// behind the answer, but those of [`Rule::handler_records`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// By the handler, in the transaction that does the work.
    InTransaction,
    /// By the handler likewise, and also when it refuses a code, a password or a refresh
    /// token that was used: that leaves something behind, and the line stands with it.
    Proof,
    /// By a layer: before the answer for staff and partners, behind it for users.
    Read,
    /// Not at all: answers to everybody about nobody.
    Nothing,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// `/package.Service/Method`.
    pub method: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Who writes its audit row.
    pub record: Record,
}

const USERS: Access = Access::Roles(&[Role::User]);
const READERS: Access = Access::Roles(&[Role::User, Role::Auditor, Role::Admin, Role::SuperAdmin]);
const STAFF: Access = Access::Roles(&[Role::Admin, Role::SuperAdmin]);
const SIGNED_IN: Access = Access::Roles(&[
    Role::User,
    Role::Partner,
    Role::Auditor,
    Role::Admin,
    Role::SuperAdmin,
]);

const fn rule(method: &'static str, access: Access, record: Record) -> Rule {
    Rule {
        method,
        access,
        record,
    }
}

impl Rule {
    /// Whether a call costs a code or a password verification, and so is rate
    /// limited more tightly.
    pub fn is_costly(&self) -> bool {
        let proves = self.record == Record::Proof && self.access != Access::Public;
        proves || self.access == Access::PublicCostly
    }

    /// Bytes of the method's message, where they are not `limits.message_bytes`.
    pub fn message_bytes(&self) -> Option<usize> {
        match self.method {
            "/gx.identity.v1.IdentityService/UploadDocument" => Some(UPLOAD_BYTES),
            "/gx.wallet.v1.WalletService/BatchTransfer" => Some(BATCH_BYTES),
            _ => None,
        }
    }

    /// Whether the handler itself has recorded a call that was refused for this
    /// reason, so that nobody else does.
    pub fn handler_records(&self, refusal: &str) -> bool {
        use Reason::{CodeWrong, CredentialsWrong, LoginLocked, RefreshTokenReused, UserStatus};
        let decided = [
            CodeWrong,
            CredentialsWrong,
            LoginLocked,
            RefreshTokenReused,
            UserStatus,
        ];
        self.record == Record::Proof && decided.map(reason_name).contains(&refusal)
    }
}

/// Bytes of UploadDocument's message: a document of 8,000,000 bytes and what
/// describes it.
pub const UPLOAD_BYTES: usize = (8 << 20) + (512 << 10);

/// Bytes of BatchTransfer's message: 500 transfers with the longest references.
const BATCH_BYTES: usize = 384 << 10;

/// Every method.
pub const RULES: &[Rule] = &[
    rule(
        "/gx.identity.v1.IdentityService/StartRegistration",
        Access::PublicCostly,
        Record::InTransaction,
    ),
    rule(
        "/gx.identity.v1.IdentityService/VerifyContact",
        Access::PublicCostly,
        Record::Proof,
    ),
    rule(
        "/gx.identity.v1.IdentityService/CompleteRegistration",
        Access::PublicCostly,
        Record::InTransaction,
    ),
    rule(
        "/gx.identity.v1.IdentityService/Login",
        Access::PublicCostly,
        Record::Proof,
    ),
    rule(
        "/gx.identity.v1.IdentityService/RefreshSession",
        Access::Public,
        Record::Proof,
    ),
    rule(
        "/gx.identity.v1.IdentityService/Logout",
        SIGNED_IN,
        Record::InTransaction,
    ),
    rule(
        "/gx.identity.v1.IdentityService/ListSessions",
        SIGNED_IN,
        Record::Read,
    ),
    rule(
        "/gx.identity.v1.IdentityService/RevokeSession",
        SIGNED_IN,
        Record::InTransaction,
    ),
    rule(
        "/gx.identity.v1.IdentityService/ChangePassword",
        SIGNED_IN,
        Record::Proof,
    ),
    rule(
        "/gx.identity.v1.IdentityService/GetMe",
        SIGNED_IN,
        Record::Read,
    ),
    rule(
        "/gx.identity.v1.IdentityService/UploadDocument",
        USERS,
        Record::InTransaction,
    ),
    rule(
        "/gx.identity.v1.IdentityService/DownloadDocument",
        READERS,
        Record::InTransaction,
    ),
    rule(
        "/gx.identity.v1.IdentityService/SubmitVerification",
        USERS,
        Record::InTransaction,
    ),
    rule(
        "/gx.identity.v1.IdentityService/GetVerification",
        READERS,
        Record::Read,
    ),
    rule(
        "/gx.identity.v1.IdentityService/ListVerifications",
        READERS,
        Record::Read,
    ),
    rule(
        "/gx.identity.v1.IdentityService/ApproveVerification",
        STAFF,
        Record::InTransaction,
    ),
    rule(
        "/gx.identity.v1.IdentityService/DenyVerification",
        STAFF,
        Record::InTransaction,
    ),
    rule(
        "/gx.identity.v1.IdentityService/BindAccount",
        STAFF,
        Record::InTransaction,
    ),
    rule(
        "/gx.identity.v1.IdentityService/ListPublicKeys",
        Access::Public,
        Record::Nothing,
    ),
    rule(
        "/gx.wallet.v1.WalletService/GetWallet",
        READERS,
        Record::Read,
    ),
    rule(
        "/gx.wallet.v1.WalletService/QuoteTransfer",
        USERS,
        Record::Read,
    ),
    rule(
        "/gx.wallet.v1.WalletService/Transfer",
        USERS,
        Record::InTransaction,
    ),
    rule(
        "/gx.wallet.v1.WalletService/BatchTransfer",
        USERS,
        Record::InTransaction,
    ),
    rule(
        "/gx.wallet.v1.WalletService/ListEntries",
        READERS,
        Record::Read,
    ),
    rule(
        "/gx.wallet.v1.WalletService/GetEntry",
        READERS,
        Record::Read,
    ),
    rule(
        "/gx.wallet.v1.WalletService/WatchWallet",
        READERS,
        Record::Read,
    ),
    rule(
        "/gx.wallet.v1.WalletService/ResolveAccount",
        READERS,
        Record::Read,
    ),
    rule(
        "/gx.tokenomics.v1.TokenomicsService/GetSupply",
        Access::Public,
        Record::Nothing,
    ),
    rule(
        "/gx.tokenomics.v1.TokenomicsService/ListCountries",
        Access::Public,
        Record::Nothing,
    ),
    rule(
        "/gx.tokenomics.v1.TokenomicsService/GetFeeSchedule",
        Access::Public,
        Record::Nothing,
    ),
    rule(
        "/gx.tokenomics.v1.TokenomicsService/GetGenesisSchedule",
        Access::Public,
        Record::Nothing,
    ),
    rule(
        "/gx.tokenomics.v1.TokenomicsService/GetCountry",
        Access::Public,
        Record::Nothing,
    ),
    rule(
        "/gx.tokenomics.v1.TokenomicsService/ListPools",
        Access::Public,
        Record::Nothing,
    ),
    rule(
        "/gx.tokenomics.v1.TokenomicsService/GetGenesisProgress",
        Access::Public,
        Record::Nothing,
    ),
    rule(
        "/gx.operation.v1.OperationService/GetOperation",
        READERS,
        Record::Read,
    ),
    rule(
        "/gx.operation.v1.OperationService/ListOperations",
        READERS,
        Record::Read,
    ),
    rule(
        "/gx.operation.v1.OperationService/WaitOperation",
        READERS,
        Record::Read,
    ),
    rule(
        "/gx.operation.v1.OperationService/WatchOperation",
        READERS,
        Record::Read,
    ),
    rule(
        "/gx.ledger.v1.LedgerService/GetLedger",
        SIGNED_IN,
        Record::Read,
    ),
    rule(
        "/gx.ledger.v1.LedgerService/GetBlock",
        SIGNED_IN,
        Record::Read,
    ),
    rule(
        "/gx.ledger.v1.LedgerService/ListBlocks",
        SIGNED_IN,
        Record::Read,
    ),
    rule(
        "/gx.ledger.v1.LedgerService/GetTransaction",
        SIGNED_IN,
        Record::Read,
    ),
    rule(
        "/gx.ledger.v1.LedgerService/StreamBlocks",
        SIGNED_IN,
        Record::Read,
    ),
];

/// Methods of the server itself, which the table need not name: health and
/// reflection are for everybody.
pub fn is_infrastructure(method: &str) -> bool {
    method.starts_with("/grpc.health.") || method.starts_with("/grpc.reflection.")
}

/// The rule of a method.
pub fn find(method: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.method == method)
}
