//! Reads of the wallet's read model.

use std::collections::HashMap;

use gx_contract::{account::AccountId, lane};
use sea_orm::entity::prelude::*;

use super::entity::wallet;
use crate::{
    app::{App, Payer},
    auth::Caller,
    directory::AccountName,
    error::{Error, Result},
    moment::Moment,
    store::bulk,
};

/// The wallet that a payment of the caller's comes from, asked for together with those
/// of other payments.
///
/// # Errors
/// `NOT_FOUND`, for a stranger's wallet as for none.
pub(super) async fn payer(app: &App, caller: &Caller, account: &AccountId) -> Result<Payer> {
    let ask = async |accounts: Vec<String>| {
        let rows = wallet::Entity::find()
            .filter(bulk::among(
                app.store.read(),
                wallet::Column::Account,
                accounts,
            ))
            .all(app.store.read())
            .await?;
        let payers = rows.into_iter().map(|row| {
            let account = row.account.clone();
            let payer = Payer {
                account: row.account,
                user_id: row.user_id,
                lane: row.lane,
            };
            (account, payer)
        });
        Ok(HashMap::from_iter(payers))
    };
    let payer = app.payers.one(account.to_string(), ask).await?;
    payer
        .filter(|payer| payer.user_id == Some(caller.user.0))
        .ok_or_else(|| Error::not_found(format!("wallets/{account}")))
}

/// A moment of an account's partition, which follows from its id alone: so a read
/// may wait for an account that is only being opened, and waiting tells nothing
/// about strangers' accounts.
pub(super) async fn moment_of(app: &App, account: &AccountName, min_block: u64) -> Result<Moment> {
    let lane = lane::of_account(account.as_str(), app.topology.partner_lanes);
    Moment::of_lane(app, &lane.to_string(), min_block).await
}
