//! Wallets: balances, history and transfers.

pub mod entity;
pub mod projection;
