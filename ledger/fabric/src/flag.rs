//! What the peers made of an ordered transaction.

use std::fmt;

use crate::proto::protos::TxValidationCode;

/// The validation flag of a transaction in a block: Fabric's `TxValidationCode`,
/// one byte, kept as it stands so that a flag of a newer Fabric is not lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValidationFlag(pub u8);

impl ValidationFlag {
    /// The transaction took effect.
    pub const VALID: Self = Self(TxValidationCode::Valid as u8);
    /// The envelope or its payload cannot be decoded.
    pub const BAD_PAYLOAD: Self = Self(TxValidationCode::BadPayload as u8);
    /// The transaction's header is missing or cannot be decoded.
    pub const BAD_COMMON_HEADER: Self = Self(TxValidationCode::BadCommonHeader as u8);
    /// The envelope's signature is not its creator's, or the creator is nobody's.
    pub const BAD_CREATOR_SIGNATURE: Self = Self(TxValidationCode::BadCreatorSignature as u8);
    /// The transaction's body is not that of an endorsed transaction.
    pub const INVALID_ENDORSER_TRANSACTION: Self =
        Self(TxValidationCode::InvalidEndorserTransaction as u8);
    /// The transaction's id is not the digest of its nonce and creator.
    pub const BAD_PROPOSAL_TXID: Self = Self(TxValidationCode::BadProposalTxid as u8);
    /// A transaction with this id stands in the chain already; that one keeps its
    /// own flag, and this copy changed nothing.
    pub const DUPLICATE_TXID: Self = Self(TxValidationCode::DuplicateTxid as u8);
    /// Not every organization that must have endorsed it has.
    pub const ENDORSEMENT_POLICY_FAILURE: Self =
        Self(TxValidationCode::EndorsementPolicyFailure as u8);
    /// A key that was read had changed before the commit; nothing was written.
    pub const MVCC_READ_CONFLICT: Self = Self(TxValidationCode::MvccReadConflict as u8);
    /// A range that was read had changed before the commit; nothing was written.
    pub const PHANTOM_READ_CONFLICT: Self = Self(TxValidationCode::PhantomReadConflict as u8);
    /// The transaction is of a type that nobody processes.
    pub const UNKNOWN_TX_TYPE: Self = Self(TxValidationCode::UnknownTxType as u8);
    /// The transaction names another channel.
    pub const TARGET_CHAIN_NOT_FOUND: Self = Self(TxValidationCode::TargetChainNotFound as u8);
    /// The extension of the channel header cannot be decoded.
    pub const BAD_HEADER_EXTENSION: Self = Self(TxValidationCode::BadHeaderExtension as u8);
    /// What the endorsers signed cannot be decoded.
    pub const BAD_RESPONSE_PAYLOAD: Self = Self(TxValidationCode::BadResponsePayload as u8);
    /// The read and write sets cannot be decoded.
    pub const BAD_RWSET: Self = Self(TxValidationCode::BadRwset as u8);
    /// A namespace stands twice among the read and write sets.
    pub const ILLEGAL_WRITESET: Self = Self(TxValidationCode::IllegalWriteset as u8);
    /// The chaincode is not one of the channel, or writes into another's namespace.
    pub const INVALID_CHAINCODE: Self = Self(TxValidationCode::InvalidChaincode as u8);
    /// What no other flag says.
    pub const INVALID_OTHER_REASON: Self = Self(TxValidationCode::InvalidOtherReason as u8);

    /// Whether the transaction took effect.
    pub fn is_valid(self) -> bool {
        self == Self::VALID
    }
}

impl fmt::Display for ValidationFlag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match TxValidationCode::try_from(i32::from(self.0)) {
            Ok(code) => formatter.write_str(code.as_str_name()),
            Err(_) => write!(formatter, "flag {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_read_as_fabric_names_them() {
        assert_eq!(ValidationFlag(11).to_string(), "MVCC_READ_CONFLICT");
        assert_eq!(ValidationFlag(77).to_string(), "flag 77");
    }
}
