//! From a checked command to a durable one, and from an outcome to a settled one:
//! intake, operations, lanes and leases.

pub mod entity;
mod intake;
pub mod operation;
mod submission;

pub use intake::Intake;
pub use submission::{Accept, Acceptance, Refusal, Submission, request_digest};
