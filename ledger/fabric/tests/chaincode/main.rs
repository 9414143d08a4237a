//! The chaincode server as peers see it: a scripted peer dials in over a real port
//! and holds the state.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod bytes;
mod calls;
mod ends;
mod harness;
mod host;
mod operations;
mod peer;
mod registration;
mod same_as_devnet;
mod simulator;
mod tls;
mod transactions;
