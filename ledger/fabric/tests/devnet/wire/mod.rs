//! The devnet over Fabric's wire.

mod blocks;
mod edit;
mod flags;
mod harness;
mod node;
mod refused;
mod transactions;
