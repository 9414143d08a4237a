//! The promises of GX, each held by a test. One binary, so one link.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod harness;
mod readme;
#[cfg(feature = "simulation")]
mod sim;
mod starts;
