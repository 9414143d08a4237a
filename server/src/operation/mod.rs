//! Operations: what became of commands, to be read, listed, waited for and watched.
//!
//! Promised: an operation is never deleted, and its outcome never changes once
//! it is there. A stranger's operation looks like none.

mod api;
mod get_operation;
mod list_operations;
mod query;
mod wait_operation;
mod watch_operation;

use gx_proto::gx::operation::v1::operation_service_server::OperationServiceServer;

pub use api::Api;

use crate::app::App;

/// The service, for a role to mount.
pub fn service(app: App) -> OperationServiceServer<Api> {
    OperationServiceServer::new(Api::new(app))
}
