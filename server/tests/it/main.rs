//! The promises of GX, each held by a test. One binary, so one link.

mod harness;
mod readme;
#[cfg(feature = "simulation")]
mod sim;
mod starts;
