//! Fabric CA as GX meets it: certificates for members of an organization, from the
//! authority's side and from the member's.
//!
//! Both sides speak Fabric CA's REST over TLS. A private key is made where it is
//! used and never leaves; a secret is neither logged nor told in an error.

mod authority;
mod client;
mod folder;
mod registry;
mod server;
mod tls;
mod token;
mod wire;

pub use authority::{Authority, AuthorityError, Holder, Unit};
pub use client::{Client, ClientOptions, EnrolError, Enrolment, Wanted};
pub use folder::{FolderError, IdentityFolder};
pub use registry::{Attribute, Registration, Registry, RegistryError};
pub use server::Server;
pub use tls::{ServerTls, TlsError};
