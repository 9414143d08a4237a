//! Hyperledger Fabric as GX meets it. The rest of the system sees one trait,
//! [`Ledger`]: endorse a batch, submit it, learn its outcome, stream blocks, ask.
//!
//! | room | what is there |
//! |---|---|
//! | [`proto`], [`header`], [`proposal`], [`transaction`], [`block`], [`header_hash`], [`flag`] | Fabric's messages, and what Fabric says about them |
//! | [`msp`] | certificates, members, signatures, identities in files |
//! | [`client`] | the trait over Fabric's wire: a peer's gateway and its blocks |
//! | [`contract`], [`chaincode`] | the contract as chaincode, and the server that runs it for peers |
//! | [`ca`] | Fabric CA, from the authority's side and from the member's |
//! | [`devnet`] | a network in one process, which Fabric's own clients accept |
//!
//! The devnet also gives the trait without a wire, for simulations that step it.

pub mod block;
pub mod ca;
pub mod chaincode;
pub mod client;
pub mod contract;
pub mod devnet;
pub mod error;
pub mod flag;
pub mod header;
pub mod header_hash;
pub mod identity;
pub mod ledger;
pub mod msp;
mod private;
pub mod proposal;
pub mod proto;
pub mod transaction;

pub use contract::{ChaincodeFailure, Contract, GxContract};
pub use error::LedgerError;
pub use flag::ValidationFlag;
pub use identity::Identity;
pub use ledger::{Block, BlockStream, CommitStatus, Endorsed, Ledger, Transaction};
