//! Wallets: balances, history and transfers.
//!
//! Promised: a balance, what is held of it and the entries behind it are of one
//! moment, and the answer names its block; entries sum to the balance, and a stream
//! of them has no gap; a
//! transfer is taken once however often it is sent, and only the ledger decides
//! about it. A stranger's wallet looks like none.

mod api;
mod batch_transfer;
pub mod entity;
mod fields;
mod get_entry;
mod get_wallet;
mod list_entries;
mod news;
mod position;
pub mod projection;
mod proto;
mod query;
mod quote_transfer;
mod resolve_account;
mod transfer;
mod watch_wallet;

use gx_proto::gx::wallet::v1::wallet_service_server::WalletServiceServer;

pub use api::Api;

use crate::app::App;

/// The service, for a role to mount.
pub fn service(app: App) -> WalletServiceServer<Api> {
    WalletServiceServer::new(Api::new(app))
}
