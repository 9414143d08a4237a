//! What is remembered of the logins of a contact: a row for all networks and a row
//! for each, taken in this order by whoever judges.

use sea_orm::{
    Condition, DatabaseTransaction, IntoActiveModel, QuerySelect, entity::prelude::*,
    sea_query::OnConflict,
};

use super::{
    contact::Contact,
    entity::{login_failure, login_network},
};
use crate::{error::Result, secrets::Secrets, store::Lock};

/// How long a failure is remembered.
pub(super) const KEEP_MS: i64 = 24 * 60 * 60 * 1_000;
/// Most rows of each kind that one login forgets.
const FORGET_MAX: u64 = 8;

/// Names the rows of a contact and a network.
pub(super) struct Key {
    contact: Vec<u8>,
    network: Vec<u8>,
}

/// What a proof is judged by.
pub(super) struct Rows {
    /// Of the contact and the network.
    pub(super) network: login_network::Model,
    /// Of the contact from anywhere.
    pub(super) contact: login_failure::Model,
}

/// The key of a contact's logins from a network.
pub(super) fn key(secrets: &Secrets, contact: &Contact, network: &[u8]) -> Key {
    let contact = contact.hash(secrets);
    let network = secrets
        .registration
        .mac("login network", &[&contact, network]);
    Key {
        contact: contact.to_vec(),
        network: network.to_vec(),
    }
}

/// Both rows, locked; made where they are missing.
pub(super) async fn lock_in(tx: &DatabaseTransaction, now_ms: i64, key: &Key) -> Result<Rows> {
    let contact = no_failure(key.contact.clone(), now_ms);
    login_failure::Entity::insert(contact.clone().into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    let find = login_failure::Entity::find_by_id(key.contact.clone()).for_update();
    let found = find.one(tx).await?;
    let network = no_login(key.contact.clone(), key.network.clone(), now_ms);
    login_network::Entity::insert(network.clone().into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    let id = (key.contact.clone(), key.network.clone());
    let find = login_network::Entity::find_by_id(id).for_update();
    // Somebody may have forgotten what was too old at the same moment.
    Ok(Rows {
        network: find.one(tx).await?.unwrap_or(network),
        contact: found.unwrap_or(contact),
    })
}

/// Writes both rows, which the transaction has locked.
pub(super) async fn write_in(tx: &DatabaseTransaction, rows: Rows) -> Result<()> {
    let Rows { network, contact } = rows;
    let by_contact = login_failure::Column::ContactHash.eq(contact.contact_hash.clone());
    login_failure::Entity::update_many()
        .set(contact.into_active_model().reset_all())
        .filter(by_contact)
        .exec(tx)
        .await?;
    let by_contact = login_network::Column::ContactHash.eq(network.contact_hash.clone());
    let by_network = login_network::Column::NetworkHash.eq(network.network_hash.clone());
    login_network::Entity::update_many()
        .set(network.into_active_model().reset_all())
        .filter(by_contact)
        .filter(by_network)
        .exec(tx)
        .await?;
    Ok(())
}

/// Forgets what is too old to count. Rows that somebody has locked are left for
/// another time, and who is waited for afterwards wants none of these, so nobody
/// waits in a circle.
pub(super) async fn forget_in(tx: &DatabaseTransaction, now_ms: i64) -> Result<()> {
    let contacts = login_failure::Entity::find()
        .filter(login_failure::Column::LastMs.lt(now_ms - KEEP_MS))
        .limit(FORGET_MAX)
        .for_update_skip_locked();
    for row in contacts.all(tx).await? {
        row.delete(tx).await?;
    }
    let networks = login_network::Entity::find()
        .filter(login_network::Column::ForgetMs.lt(now_ms))
        .limit(FORGET_MAX)
        .for_update_skip_locked();
    for row in networks.all(tx).await? {
        row.delete(tx).await?;
    }
    Ok(())
}

/// Forgets the failures of a contact; the networks that it came from stay known.
/// Answers whether there were any.
pub(super) async fn unlock_in(
    tx: &DatabaseTransaction,
    secrets: &Secrets,
    contact: &Contact,
) -> Result<bool> {
    let hash = contact.hash(secrets).to_vec();
    let anywhere = login_failure::Entity::update_many()
        .col_expr(login_failure::Column::Failures, 0.into())
        .col_expr(login_failure::Column::LockedUntilMs, 0_i64.into())
        .filter(login_failure::Column::ContactHash.eq(hash.clone()))
        .filter(login_failure::Column::Failures.gt(0));
    let anywhere = anywhere.exec(tx).await?.rows_affected;
    let failed = Condition::any()
        .add(login_network::Column::Failures.gt(0))
        .add(login_network::Column::LockedUntilMs.gt(0));
    let networks = login_network::Entity::update_many()
        .col_expr(login_network::Column::Failures, 0.into())
        .col_expr(login_network::Column::LockedUntilMs, 0_i64.into())
        .filter(login_network::Column::ContactHash.eq(hash))
        .filter(failed);
    let networks = networks.exec(tx).await?.rows_affected;
    Ok(anywhere + networks > 0)
}

/// A contact that failed nowhere.
pub(super) fn no_failure(contact_hash: Vec<u8>, now_ms: i64) -> login_failure::Model {
    login_failure::Model {
        contact_hash,
        failures: 0,
        locked_until_ms: 0,
        last_ms: now_ms,
    }
}

/// A network from which nobody came.
pub(super) fn no_login(
    contact_hash: Vec<u8>,
    network_hash: Vec<u8>,
    now_ms: i64,
) -> login_network::Model {
    login_network::Model {
        contact_hash,
        network_hash,
        failures: 0,
        locked_until_ms: 0,
        failed_ms: now_ms,
        succeeded_ms: 0,
        forget_ms: now_ms + KEEP_MS,
    }
}
