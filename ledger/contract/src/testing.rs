//! What the tests stand on: a state in memory, a small world on it, builders of
//! commands, and a read model that knows events alone.

pub(crate) mod build;
pub(crate) mod memory;
pub(crate) mod replay;
pub(crate) mod world;
