//! Every account's public face: a masked name, what it is and where. A read
//! model of its own, since every service shows the accounts of others and no
//! service imports another.
//!
//! Promised: nobody learns more of a stranger than the first letters of the
//! names; pools and treasuries stand there in full.

mod account_name;
pub mod bind;
mod entity;
mod mask;
mod projection;
mod query;

pub use account_name::{AccountName, parse_account_id};
pub use mask::mask;
pub use projection::{Opened, claim_in, opened_in};
pub use query::{Listing, lookup, owner_in};
