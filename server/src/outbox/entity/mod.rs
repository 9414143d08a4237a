//! The pipeline's rows.

pub mod control;
pub mod envelope;
pub mod lane;
pub mod operation;
pub mod row;
