//! What happens before a port opens: the data directory, the database's fixed rows,
//! and on the first start the ledger's first two commands.

mod base;
mod bootstrap;
mod data_dir;
mod topology;

pub use base::Base;
pub use bootstrap::{bootstrapped, first_start};
pub use data_dir::lock_data_dir;
pub use topology::topology;
