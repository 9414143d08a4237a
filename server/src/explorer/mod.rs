//! The chain, as far as this system has read it: its height, its blocks, and what
//! the commands in them did, as each caller may see it.
//!
//! Promised: what is said of a block is what every partition of the read model
//! has applied. Everybody signed in sees blocks, transactions and counts; commands
//! are shown by right (`sight.rs`) and counted otherwise.

mod api;
pub mod entity;
mod get_block;
mod get_ledger;
mod get_transaction;
mod list_blocks;
pub mod projection;
mod proto;
mod query;
mod sight;
mod stream_blocks;
mod tail;
#[cfg(test)]
mod tests;
mod whole;

use gx_proto::gx::ledger::v1::ledger_service_server::LedgerServiceServer;

pub use api::Api;

use crate::app::App;

/// The service, for a role to mount.
pub fn service(app: App) -> LedgerServiceServer<Api> {
    LedgerServiceServer::new(Api::new(app))
}
