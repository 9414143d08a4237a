//! The chain, as far as this system has read it.
//!
//! Promised: what is said of a block is what every partition of the read model
//! has applied.

mod api;
mod get_ledger;

use gx_proto::gx::ledger::v1::ledger_service_server::LedgerServiceServer;

pub use api::Api;

use crate::app::App;

/// The service, for a role to mount.
pub fn service(app: App) -> LedgerServiceServer<Api> {
    LedgerServiceServer::new(Api { app })
}
