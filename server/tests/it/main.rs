//! The promises of GX, each held by a test. One binary, so one link.

mod bad_input;
mod harness;
mod intake;
mod rights;
#[cfg(feature = "simulation")]
mod sim;
mod starts;
mod walk;
