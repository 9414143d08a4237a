//! Rows of the ledger as it is shown. Everybody signed in may see them, but the
//! events, which are shown by right (`explorer/sight.rs`).

pub mod block;
pub mod transaction;
