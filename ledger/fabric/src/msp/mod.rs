//! Fabric's membership: certificates and what they say, who may speak for an
//! organization, and signatures as Fabric takes them.

mod certificate;
mod files;
mod membership;
mod signing;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use certificate::{Certificate, CertificateError};
pub use files::{FilesError, IdentityFiles};
pub use membership::{Kind, Member, Membership, NotAuthentic};
pub use signing::{SigningError, SigningIdentity};
