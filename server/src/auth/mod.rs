//! Who calls, and may they: tokens and sessions become a [`Caller`], the policy
//! decides about methods. Rows are decided by finders that take the caller.

mod authenticator;
mod caller;
pub mod passwords;
pub mod policy;
mod refresh;
pub mod roles;
pub mod session;
pub mod token;

pub use authenticator::Authenticator;
pub use caller::{Caller, Context, Subject, UserId, anybody, signed_in};
pub use passwords::{Password, Passwords};
pub use refresh::RefreshToken;
