//! From a checked command to a durable one, and from an outcome to a settled one:
//! intake, operations, lanes and leases.

pub mod catching_up;
pub mod entity;
mod fold;
pub mod hold;
pub mod intake;
pub mod lanes;
mod line;
pub mod operation;
pub mod settle;
mod submission;

pub use fold::Folder;
pub use intake::Intake;
pub use submission::{Accept, Acceptance, Refusal, Submission, request_digest};
