//! Reads of the wallet's read model.

use gx_contract::lane;

use crate::{app::App, directory::AccountName, error::Result, moment::Moment};

/// A moment of an account's partition, which follows from its id alone: so a read
/// may wait for an account that is only being opened, and waiting tells nothing
/// about strangers' accounts.
pub(super) async fn moment_of(app: &App, account: &AccountName, min_block: u64) -> Result<Moment> {
    let lane = lane::of_account(account.as_str(), app.topology.partner_lanes);
    Moment::of_lane(app, &lane.to_string(), min_block).await
}
