//! The promises of GX, each held by a test. One binary, so one link.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod bad_input;
mod batch;
mod bench;
mod binding;
mod chaincode;
mod chaos;
mod edge;
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
mod rebuild;
mod redis;
mod replicas;
#[cfg(feature = "simulation")]
mod restored;
mod rights;
mod schema;
mod sessions;
#[cfg(feature = "simulation")]
mod sim;
mod standby;
mod starts;
mod streams;
mod structure;
mod turns;
mod walk;

/// A number that a variable chooses, for campaigns that are longer than the test
/// command.
fn chosen(name: &str, default: u64) -> u64 {
    variable(name)
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

/// What a variable says of how the tests are run.
#[expect(clippy::disallowed_methods, reason = "sets nothing of what is tested")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
