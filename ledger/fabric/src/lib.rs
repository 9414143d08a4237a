//! Hyperledger Fabric as GX meets it. The rest of the system sees one trait,
//! [`Ledger`]: endorse a batch, submit it, learn its outcome, stream blocks, ask.
//!
//! Below it stand Fabric's own messages ([`proto`]) with what Fabric says about
//! them ([`header`], [`proposal`], [`transaction`], [`block`], [`header_hash`]),
//! the contract as chaincode ([`contract`]), the server that runs it for a
//! network's peers ([`chaincode`]), and a Fabric in one process ([`devnet`]).

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
pub mod proposal;
pub mod proto;
pub mod transaction;

pub use contract::{ChaincodeFailure, Contract, GxContract};
pub use error::LedgerError;
pub use flag::ValidationFlag;
pub use identity::Identity;
pub use ledger::{Block, BlockStream, CommitStatus, Endorsed, Ledger, Transaction};
