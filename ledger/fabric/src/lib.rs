//! Hyperledger Fabric as GX meets it. The rest of the system sees one trait,
//! [`Ledger`]: endorse a batch, submit it, learn its outcome, stream blocks, ask.

pub mod error;
pub mod flag;
pub mod ledger;
pub mod proto;

pub use error::LedgerError;
pub use flag::ValidationFlag;
pub use ledger::{Block, BlockStream, CommitStatus, Endorsed, Ledger, Transaction};
