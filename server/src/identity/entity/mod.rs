//! Rows of identity. Finders take the caller, so nobody reads a row that is not
//! theirs to read; the few that cannot, because nobody is signed in yet, say whom
//! they are for.

pub mod document;
pub mod login_failure;
pub mod login_network;
pub mod registration;
pub mod user;
pub mod verification;
