//! The devnet over Fabric's wire.

mod harness;
mod transactions;
