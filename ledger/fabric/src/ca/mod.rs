//! Fabric CA as GX meets it: certificates for members of an organization.

mod authority;

pub use authority::{Authority, AuthorityError, Holder, Unit};
