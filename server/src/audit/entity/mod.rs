//! The tables of the audit log.

pub mod line;
pub mod seal;
