//! A Fabric in one process: endorsers, an orderer, a validating committer, blocks
//! and state on disk or in memory. Its worth is its likeness: real envelopes, real
//! read and write sets, real flags, real block hashes.
//!
//! [`Core`] is synchronous and does nothing by itself: whoever calls
//! [`Core::cut_block`] decides when a block is made. The [`Driver`] is a task that
//! calls it as an orderer's timer would; [`InProcessLedger`] gives the server's
//! trait over a core, with or without a driver.

mod block_file;
mod blocks;
mod committer;
mod core;
mod deliver;
mod driver;
mod endorsement;
mod faults;
mod ledger;
mod lock;
mod options;
mod reader;
mod record;
mod sequencer;
mod simulation;
mod snapshot;
mod state_file;
mod store;
mod validator;
mod world;

pub use core::{Core, Progress};
pub use driver::Driver;
pub use faults::{EndorserFault, Faults};
pub use ledger::InProcessLedger;
pub use options::{
    CHAINCODE, CHANNEL, Clock, CoreOptions, Endorser, Limits, MSP_ID, Nonces, system_clock,
    system_nonces,
};
pub use reader::{BlockReader, StateReader};
pub use store::{BLOCKS_FILE, STATE_FILE, StoreError};
pub use world::{Version, Versioned};
