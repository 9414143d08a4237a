//! Reads of the wallet's read model.

use std::collections::HashMap;

use gx_contract::{account::AccountId, lane};
use gx_proto::gx::wallet::v1::Entry;
use sea_orm::{DatabaseTransaction, QuerySelect, Select, entity::prelude::*};

use super::{
    entity::{entry, wallet},
    proto,
};
use crate::{
    app::App,
    auth::Caller,
    checkpoint,
    directory::{self, AccountName, Listing},
    error::{Error, Result},
    moment::{self, Moment},
    outbox::entity::operation,
    store::bulk,
};

/// An entry with the record of the command behind it.
pub(super) type Row = (entry::Model, Option<operation::Model>);

/// The account that a payment comes from.
#[derive(Debug)]
pub(super) struct Payer {
    /// The account.
    pub(super) account: String,
    /// The lane of its debits.
    pub(super) lane: String,
}

/// An account of the caller's, as a payment needs it. Whose it is, is asked for once,
/// together with those of other payments; what it may pay is decided with its row locked.
///
/// # Errors
/// `NOT_FOUND`, for a stranger's wallet as for none.
pub(super) async fn payer(app: &App, caller: &Caller, account: &AccountId) -> Result<Payer> {
    let (payers, user) = (&app.payers, Some(caller.user.0));
    if payers.known.get(account.as_str()) != user {
        let ask = async |accounts| Ok(owners(app, accounts).await?);
        let owner = payers.asked.one(account.to_string(), ask).await?;
        let owner = owner.filter(|owner| Some(*owner) == user);
        let owner = owner.ok_or_else(|| Error::not_found(format!("wallets/{account}")))?;
        payers.known.insert(account.to_string(), owner);
    }
    Ok(Payer {
        account: account.to_string(),
        lane: lane::of_account(account.as_str(), app.topology.partner_lanes).to_string(),
    })
}

async fn owners(app: &App, accounts: Vec<String>) -> Result<HashMap<String, Uuid>, DbErr> {
    let db = app.store.read();
    let owned = wallet::Entity::find()
        .select_only()
        .columns([wallet::Column::Account, wallet::Column::UserId])
        .filter(bulk::among(db, wallet::Column::Account, accounts))
        .filter(wallet::Column::UserId.is_not_null());
    let owned: Vec<(String, Uuid)> = owned.into_tuple().all(db).await?;
    Ok(HashMap::from_iter(owned))
}

/// A wallet that the caller may look at, and the last block whose effects it shows:
/// together in one statement, since no other is read as often.
///
/// # Errors
/// `NOT_FOUND`, for a stranger's wallet as for none; `STALE_READ` if `min_block` is not
/// reached in time.
pub(super) async fn wallet(
    app: &App,
    caller: &Caller,
    account: &AccountName,
    min_block: u64,
) -> Result<(u64, wallet::Model)> {
    let lane = lane::of_account(account.as_str(), app.topology.partner_lanes).to_string();
    let (lane, visible) = (&lane, &wallet::Entity::visible(caller, account));
    let ask =
        |db| async move { checkpoint::of_with(&db, lane, wallet::Entity, visible.clone()).await };
    let (as_of_block, found) = moment::read(app, Some(lane), min_block, ask).await?;
    let wallet = wallet::Entity::found(found, account.as_str())?;
    Ok((as_of_block, wallet))
}

/// A moment of an account's partition, which follows from its id alone: so a read
/// may wait for an account that is only being opened, and waiting tells nothing
/// about strangers' accounts.
pub(super) async fn moment_of(app: &App, account: &AccountName, min_block: u64) -> Result<Moment> {
    let lane = lane::of_account(account.as_str(), app.topology.partner_lanes);
    Moment::of_lane(app, &lane.to_string(), min_block).await
}

/// The latest moment of an account's partition, from the database itself: whoever was
/// told that there is news must not read a copy that does not have it yet.
pub(super) async fn latest_of(app: &App, account: &AccountName) -> Result<Moment> {
    let lane = lane::of_account(account.as_str(), app.topology.partner_lanes);
    let tx = app.store.snapshot().await?;
    let as_of_block = checkpoint::of(&tx, &lane.to_string()).await?;
    Ok(Moment { tx, as_of_block })
}

/// Entries with the records of the commands behind them.
pub(super) async fn rows(
    tx: &DatabaseTransaction,
    entries: Select<entry::Entity>,
) -> Result<Vec<Row>> {
    let entries = entries.find_also_related(operation::Entity);
    Ok(entries.all(tx).await?)
}

/// Entries as the caller may see them, in the order of their rows.
pub(super) async fn show(
    tx: &DatabaseTransaction,
    caller: &Caller,
    rows: Vec<Row>,
) -> Result<Vec<Entry>> {
    let others = rows.iter().map(|(entry, _)| entry.counterparty.as_str());
    let others = directory::lookup(tx, others).await?;
    let owner = caller.user.owner();
    let entries = rows.into_iter().map(|row| show_one(row, &owner, &others));
    entries.collect()
}

fn show_one(
    (row, operation): Row,
    caller: &str,
    others: &HashMap<String, Listing>,
) -> Result<Entry> {
    let owner = operation
        .as_ref()
        .and_then(|operation| operation.owner.as_deref());
    let owned = owner == Some(caller);
    let other = Some(row.counterparty.as_str()).filter(|account| !account.is_empty());
    let counterparty = other.map(|account| proto::counterparty(account, others.get(account)));
    proto::entry(row, operation.as_ref(), owned, counterparty)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{app::Payers, fixture};

    #[tokio::test]
    async fn whose_an_account_is_nobody_learns_but_its_owner_and_is_asked_for_once() {
        let mut app = fixture::app().await;
        let (ann, bee) = (fixture::user(1), fixture::user(2));
        let account = fixture::account(1);
        // Nobody has it yet; what was not there is looked for again.
        assert!(payer(&app, &ann, &account).await.is_err());
        fixture::person(&app, 1, "DE").await;
        for _ in 0..2 {
            let found = payer(&app, &ann, &account).await.unwrap();
            assert_eq!(found.account, account.as_str());
            assert_eq!(found.lane, fixture::lane_of(account.as_str()));
            let stranger = payer(&app, &bee, &account).await.unwrap_err();
            let nobody = payer(&app, &bee, &fixture::account(3)).await.unwrap_err();
            let told = |error: Error| error.to_string();
            assert_eq!(
                told(stranger).replace(account.as_str(), ""),
                told(nobody).replace(fixture::account(3).as_str(), "")
            );
        }

        app.store.write().close_by_ref().await.unwrap();
        assert!(payer(&app, &ann, &account).await.is_ok());
        app.payers = Payers::default().into();
        assert!(payer(&app, &ann, &account).await.is_err());
    }
}
