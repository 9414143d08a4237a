//! Checks a chain from its bytes alone: nothing of the devnet is used but Fabric's
//! messages. What the devnet gets wrong about hashes, signatures, flags or read and
//! write sets, it cannot get wrong here in the same way.

mod corrupted;
mod key;
mod state;
mod transaction;

use gx_fabric::proto::common::{Block, BlockHeader};
use sha2::{Digest, Sha256};

pub(crate) use self::key::Authorities;
use self::{state::State, transaction::cause};

/// Something that is not as it should be, and in which block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) block: u64,
    pub(crate) what: What,
}

/// What can be wrong about a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Number,
    PreviousHash,
    DataHash,
    FlagMissing,
    Unreadable,
    Creator,
    CreatorSignature,
    TransactionId,
    ProposalHash,
    EndorsementSignature,
    EndorsementMissing,
    Duplicate,
    ReadConflict,
    PhantomRead,
    /// A flag of a fault that the transaction does not have.
    Flag,
}

impl What {
    /// The flag of a transaction about which this is wrong.
    fn flag(self) -> u8 {
        match self {
            Self::Creator | Self::CreatorSignature => 4,
            Self::TransactionId => 8,
            Self::ProposalHash | Self::Unreadable => 5,
            Self::EndorsementSignature | Self::EndorsementMissing => 10,
            Self::Duplicate => 9,
            Self::ReadConflict => 11,
            Self::PhantomRead => 12,
            _ => 0,
        }
    }
}

/// Everything that is wrong about a chain, from block 0 on.
pub(crate) fn faults(blocks: &[Block], authorities: &Authorities) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut state = State::default();
    let mut previous = Vec::new();
    for (number, block) in (0..).zip(blocks) {
        let mut fault = |what| {
            faults.push(Fault {
                block: number,
                what,
            });
        };
        let header = block.header.clone().unwrap_or_default();
        if header.number != number {
            fault(What::Number);
        }
        if header.previous_hash != previous {
            fault(What::PreviousHash);
        }
        if header.data_hash[..] != data_hash(block) {
            fault(What::DataHash);
        }
        previous = header_hash(&header).to_vec();
        let flags = flags(block);
        let envelopes = block.data.clone().unwrap_or_default().data;
        if flags.len() != envelopes.len() {
            fault(What::FlagMissing);
        }
        // Block 0 configures the channel and is signed by nobody.
        if number > 0 {
            for (index, (envelope, flag)) in (0..).zip(envelopes.iter().zip(flags)) {
                let cause = cause(envelope, authorities, &mut state, (number, index));
                match (cause, flag) {
                    (Err(what), 0) => fault(what),
                    (Err(what), flag) if what.flag() == flag => {}
                    (Ok(()), 0) => {}
                    _ => fault(What::Flag),
                }
            }
        }
    }
    faults
}

fn flags(block: &Block) -> Vec<u8> {
    let metadata = block.metadata.as_ref().map(|metadata| &metadata.metadata);
    let flags = metadata.and_then(|metadata| metadata.get(2));
    flags.map(|flags| flags.to_vec()).unwrap_or_default()
}

/// SHA-256 of all envelopes, one after the other.
pub(crate) fn data_hash(block: &Block) -> [u8; 32] {
    let envelopes = block.data.clone().unwrap_or_default().data;
    Sha256::digest(envelopes.concat()).into()
}

/// SHA-256 of the header in DER: a sequence of an integer and two octet strings.
pub(crate) fn header_hash(header: &BlockHeader) -> [u8; 32] {
    let number = header.number.to_be_bytes();
    let digits = number.iter().skip_while(|byte| **byte == 0);
    let mut integer: Vec<u8> = digits.copied().collect();
    if integer.first().is_none_or(|first| first & 0x80 != 0) {
        integer.insert(0, 0);
    }
    let parts = [
        der(2, &integer),
        der(4, &header.previous_hash),
        der(4, &header.data_hash),
    ];
    Sha256::digest(der(0x30, &parts.concat())).into()
}

fn der(tag: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).unwrap();
    assert!(length < 128, "short lengths alone");
    [&[tag, length], bytes].concat()
}
