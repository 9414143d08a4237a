//! The promises of GX, each held by a test. One binary, so one link.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod bad_input;
mod chaincode;
mod enroll;
mod harness;
mod intake;
#[cfg(feature = "simulation")]
mod kills;
mod limits;
mod ops;
mod partitions;
mod projector;
mod proto;
#[cfg(feature = "simulation")]
mod races;
mod readme;
mod redis;
#[cfg(feature = "simulation")]
mod restored;
mod rights;
#[cfg(feature = "simulation")]
mod sim;
mod standby;
mod starts;
mod streams;
mod structure;
mod turns;
mod walk;
