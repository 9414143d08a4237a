//! Rows of the wallet's read model.

pub mod credit;
pub mod entry;
pub mod wallet;
