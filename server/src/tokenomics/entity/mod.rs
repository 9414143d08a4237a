//! Rows of the currency's read model.

pub mod country;
pub mod supply;
pub mod treasury;
