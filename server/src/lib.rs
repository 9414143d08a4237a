//! GX: identity, wallet and tokenomics over gRPC, and the workers that carry
//! commands to the ledger and its blocks back.
//!
//! Arrows point one way: roles -> services -> directory, outbox -> store.
//! README.md beside this crate is the architecture.

pub mod app;
pub mod audit;
pub mod auth;
pub mod cache;
pub mod checkpoint;
pub mod clock;
pub mod config;
pub mod directory;
pub mod error;
pub mod explorer;
pub mod fault;
pub mod id;
pub mod identity;
pub mod limits;
pub mod listen;
pub mod moment;
pub mod network;
pub mod notifier;
pub mod operation;
pub mod ops;
pub mod outbox;
pub mod page;
pub mod projector;
pub mod roles;
pub mod rpc;
pub mod secrets;
pub mod start;
pub mod store;
pub mod submitter;
pub mod telemetry;
pub mod tokenomics;
pub mod wallet;
pub mod watch;

#[cfg(test)]
mod fixture;
