//! The devnet as its users see it: the core stepped by hand, the driver on a paused
//! clock, and the files after every way to be cut off.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod check;
mod driver;
mod endorsement;
mod faults;
mod files;
mod genesis;
mod harness;
mod lanes;
mod ledger;
mod material;
mod readers;
mod validation;
mod wire;
