//! Names the credits that a batch may need, as the read model knows them, and puts
//! Folds before debits that need more credits than a debit may name.

use std::collections::{BTreeMap, BTreeSet};

use gx_contract::lane::LaneName;
use gx_proto::gx::contract::v1::{AccountCredits, Command, CreditKey, Fold, command::Body};
use prost::Message;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    DatabaseTransaction, QueryOrder, QuerySelect,
    entity::prelude::*,
};
use sha2::{Digest, Sha256};

use super::form::Pending;
use crate::{
    error::Result,
    id::CommandId,
    outbox::entity::{lane, row},
    store::bulk,
};

/// Most credits of an account that a batch may name for debits alone.
const DEBIT_CREDITS: usize = 256;
/// Most credits of an account that a batch may name where it folds it.
const FOLD_CREDITS: usize = 1_000;
/// Most credits that one batch names: each costs some 200 bytes of the envelope.
const BATCH_CREDITS: usize = 8_000;

mod wallet {
    //! What of a wallet forming looks at.
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "wallets")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) account: String,
        pub(super) folded_qirat: i64,
        pub(super) reserved_qirat: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod credit {
    //! An open credit.
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "credits")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) account: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) msp_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) lane: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) first_sequence: i64,
        pub(super) delta_qirat: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Names credits for every account that the pending commands debit or fold, where
/// its folded balance may not be enough, and leaves in `pending` what one batch can
/// carry. Where a debit needs more credits than it may name, a Fold goes first; for
/// that the read model must have seen all that was formed before.
pub(super) async fn name_in(
    tx: &DatabaseTransaction,
    lane: &lane::Model,
    pending: &mut Vec<Pending>,
    limit: usize,
    now_ms: i64,
) -> Result<Vec<AccountCredits>> {
    let short = short_in(tx, accounts(pending, debited)).await?;
    let folded = accounts(pending, folded);
    let wanted: BTreeSet<String> = short.keys().chain(&folded).cloned().collect();
    let mut named = Vec::with_capacity(wanted.len());
    let mut keys = 0;
    for account in wanted {
        let credits = open_in(tx, &account).await?;
        let missing = short.get(&account).copied().unwrap_or(0);
        let most = most_for(&credits, missing, folded.contains(&account));
        keys += credits.len().min(most);
        let early = most == FOLD_CREDITS && lane.formed_number > lane.settled_number;
        if (early && !folded.contains(&account)) || (keys > BATCH_CREDITS && !named.is_empty()) {
            cut_before(pending, &account);
            continue;
        }
        if most == FOLD_CREDITS && !folded.contains(&account) {
            let fold = fold_in(tx, lane, &account, &credits, now_ms).await?;
            pending.insert(0, fold);
            if sum(&credits) < missing {
                cut_debits(pending, &account);
            }
        }
        let credits = credits.iter().take(most).filter_map(key).collect();
        named.push(AccountCredits { account, credits });
    }
    // Folds are additional: what they displace has no number yet and comes next.
    pending.truncate(limit);
    fit(&mut named, pending);
    Ok(named)
}

/// How many credits of an account a batch names: more than a debit may name only
/// where the batch folds the account.
fn most_for(credits: &[credit::Model], missing: i64, folded: bool) -> usize {
    let few = sum(&credits[..credits.len().min(DEBIT_CREDITS)]);
    if folded || (few < missing && credits.len() > DEBIT_CREDITS) {
        FOLD_CREDITS
    } else {
        DEBIT_CREDITS
    }
}

fn sum(credits: &[credit::Model]) -> i64 {
    credits.iter().map(|credit| credit.delta_qirat).sum()
}

/// Ends the batch before the first command that debits or folds the account.
fn cut_before(pending: &mut Vec<Pending>, account: &str) {
    let touches = |one: &Pending| {
        let body = one.command.body.as_ref();
        body.is_some_and(|body| [debited(body), folded(body)].contains(&Some(account.to_owned())))
    };
    if let Some(first) = pending.iter().position(touches) {
        pending.truncate(first);
    }
}

/// Ends the batch before the first debit of the account.
fn cut_debits(pending: &mut Vec<Pending>, account: &str) {
    let debits =
        |one: &Pending| one.command.body.as_ref().and_then(debited).as_deref() == Some(account);
    if let Some(first) = pending.iter().position(debits) {
        pending.truncate(first);
    }
}

/// Leaves the names that the commands of the batch may read.
fn fit(named: &mut Vec<AccountCredits>, pending: &[Pending]) {
    let (debited, folded) = (accounts(pending, debited), accounts(pending, folded));
    named.retain(|one| debited.contains(&one.account) || folded.contains(&one.account));
    for one in named
        .iter_mut()
        .filter(|one| !folded.contains(&one.account))
    {
        one.credits.truncate(DEBIT_CREDITS);
    }
}

fn debited(body: &Body) -> Option<String> {
    match body {
        Body::Transfer(transfer) => Some(transfer.sender.clone()),
        _ => None,
    }
}

fn folded(body: &Body) -> Option<String> {
    match body {
        Body::Fold(fold) => Some(fold.account.clone()),
        _ => None,
    }
}

fn accounts(pending: &[Pending], pick: impl Fn(&Body) -> Option<String>) -> BTreeSet<String> {
    pending
        .iter()
        .filter_map(|one| one.command.body.as_ref().and_then(&pick))
        .collect()
}

/// How much each account's folded balance may be short of what its accepted
/// commands hold, those in flight included.
async fn short_in(
    tx: &DatabaseTransaction,
    accounts: BTreeSet<String>,
) -> Result<BTreeMap<String, i64>> {
    if accounts.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wallets = wallet::Entity::find()
        .filter(bulk::among(tx, wallet::Column::Account, accounts))
        .all(tx)
        .await?;
    let short = wallets
        .into_iter()
        .map(|wallet| (wallet.account, wallet.reserved_qirat - wallet.folded_qirat));
    Ok(short.filter(|(_, short)| *short > 0).collect())
}

/// An account's open credits, the largest first, so that few of them suffice.
async fn open_in(tx: &DatabaseTransaction, account: &str) -> Result<Vec<credit::Model>> {
    Ok(credit::Entity::find()
        .filter(credit::Column::Account.eq(account))
        .order_by_desc(credit::Column::DeltaQirat)
        .order_by_asc(credit::Column::MspId)
        .order_by_asc(credit::Column::Lane)
        .order_by_asc(credit::Column::FirstSequence)
        .limit(FOLD_CREDITS as u64)
        .all(tx)
        .await?)
}

/// A Fold as an outbox row of its own; its operation comes when it is settled.
async fn fold_in(
    tx: &DatabaseTransaction,
    lane: &lane::Model,
    account: &str,
    credits: &[credit::Model],
    now_ms: i64,
) -> Result<Pending> {
    let body = Body::Fold(Fold {
        account: account.to_owned(),
        judge: false,
    });
    let mut facts = Sha256::new_with_prefix(lane.settled_number.to_be_bytes());
    for credit in credits {
        facts.update(format!(
            "{account}/{}/{}/{};",
            credit.msp_id, credit.lane, credit.first_sequence
        ));
    }
    let facts = facts.finalize();
    let id = CommandId::derive_job("fold", &facts);
    let command = Command {
        id: id.bytes().to_vec().into(),
        request_digest: facts.to_vec().into(),
        body: Some(body),
    };
    let row = row::ActiveModel {
        position: NotSet,
        id: Set(id.0),
        lane: Set(lane.name.clone()),
        number: Set(None),
        request_digest: Set(facts.to_vec()),
        body: Set(command.encode_to_vec()),
        held_account: Set(None),
        held_qirat: Set(0),
        abandoned: Set(false),
        voided: Set(false),
        attempts: Set(0),
        next_attempt_ms: Set(0),
        error_class: Set(None),
        traceparent: Set(None),
        created_ms: Set(now_ms),
    };
    let row = row.insert(tx).await?;
    Ok(Pending {
        id: row.id,
        command,
    })
}

fn key(credit: &credit::Model) -> Option<CreditKey> {
    let lane: LaneName = credit.lane.parse().ok()?;
    Some(CreditKey {
        msp_id: credit.msp_id.clone(),
        lane: Some(lane.into()),
        first_sequence: u64::try_from(credit.first_sequence).ok()?,
    })
}

#[cfg(test)]
mod tests;
