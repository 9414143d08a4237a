//! Who calls, and may they: tokens and sessions become a [`Caller`], the policy
//! decides about methods. Rows are decided by finders that take the caller.

mod caller;
pub mod policy;

pub use caller::{Caller, Context, UserId, anybody, signed_in};
