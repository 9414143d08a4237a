//! A Fabric in one process: endorsers, an orderer, a validating committer, blocks
//! and state on disk or in memory. Its worth is its likeness: real envelopes, real
//! read and write sets, real flags, real block hashes.
//!
//! [`Core`] is synchronous and does nothing by itself: whoever calls
//! [`Core::cut_block`] decides when a block is made. The [`Driver`] is a task that
//! calls it as an orderer's timer would. [`Server`] speaks Fabric's wire, with the
//! certificates and keys of a [`Material`]; [`InProcessLedger`] gives the server's
//! trait over a core that believes everybody, for simulations.

mod block_file;
mod blocks;
mod committer;
mod core;
mod deliver;
mod driver;
mod endorsement;
mod endorser;
mod faults;
mod genesis;
mod ledger;
mod lock;
mod material;
mod options;
mod orderer;
mod policy;
mod reader;
mod record;
mod sequencer;
mod server;
mod simulation;
mod snapshot;
mod state_file;
mod store;
mod trust;
mod unmarshal;
mod validator;
mod wellformed;
mod world;

pub use core::{Core, Progress};
pub use driver::Driver;
pub use faults::{EndorserFault, Faults};
pub use ledger::InProcessLedger;
pub use material::{
    Connection, ConnectionIdentity, ConnectionOrganization, IdentityFiles, Material, MaterialError,
    Organization, TlsMaterial,
};
pub use options::{
    CHAINCODE, CHANNEL, Clock, CoreOptions, Endorser, Limits, MSP_ID, Nonces, system_clock,
    system_nonces,
};
pub use reader::{BlockReader, StateReader};
pub use server::{Server, ServerError, ServerOptions};
pub use store::{BLOCKS_FILE, STATE_FILE, StoreError};
pub use trust::{Roll, Trust};
pub use world::{Version, Versioned};
