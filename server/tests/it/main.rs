//! The promises of GX, each held by a test. One binary, so one link.

#[cfg(feature = "simulation")]
mod sim;
