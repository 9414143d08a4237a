//! Supply, countries, fees and the genesis schedule: facts about the currency
//! that everybody may know.
//!
//! Promised: the parts of the supply are of one block and sum to the maximum
//! exactly; fees and phases are those of the ledger's own rules.

mod api;
mod bucket;
pub mod entity;
mod get_country;
mod get_fee_schedule;
mod get_genesis_progress;
mod get_genesis_schedule;
mod get_supply;
mod list_countries;
mod list_pools;
pub mod projection;
mod query;

use gx_proto::gx::tokenomics::v1::tokenomics_service_server::TokenomicsServiceServer;

pub use api::Api;
pub use bucket::{CIRCULATING, TREASURIES, bucket_of};
pub use query::totals_at;

use crate::app::App;

/// The service, for a role to mount.
pub fn service(app: App) -> TokenomicsServiceServer<Api> {
    TokenomicsServiceServer::new(Api { app })
}
