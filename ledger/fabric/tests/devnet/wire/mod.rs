//! The devnet over Fabric's wire.

mod blocks;
pub(crate) mod edit;
mod flags;
pub(crate) mod harness;
mod node;
pub(crate) mod refused;
mod seek;
mod transactions;
