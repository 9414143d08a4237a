//! The only writer of the wallets' chain columns, of entries and of open credits.
//! The projector calls it in its transaction, with the facts of one partition
//! and of a group of blocks in their order; `reserved_qirat` is not its business.
//!
//! Within a transaction: [`open_in`], then [`lock_in`] once for every wallet that
//! the transaction will change, then the others.

mod facts;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::anyhow;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Query, UpdateStatement},
};

use super::entity::{
    credit,
    wallet::{self, Column},
};
use crate::{
    directory,
    error::{Error, Result},
    store::{
        Lock,
        bulk::{self, FIRST, GIVEN, SECOND, THIRD},
    },
};

pub use facts::{Credit, CreditKey, Folded, OpenedAccount, Posting};

/// Opens wallets, empty, for the owners that the directory knows.
///
/// # Errors
/// If one is open already, or the database fails.
pub async fn open_in(tx: &DatabaseTransaction, accounts: &[OpenedAccount]) -> Result<()> {
    let names = accounts.iter().map(|opened| opened.account.as_str());
    let owners = directory::owner_in(tx, names).await?;
    let wallets = accounts.iter().map(|opened| {
        let owner = owners.get(&opened.account);
        opened.row(owner.map(|owner| owner.0))
    });
    Ok(bulk::insert_in(tx, wallets.collect()).await?)
}

/// Locks wallets in the order in which everybody does. One call for all that the
/// transaction will change keeps it from meeting the intake in a deadlock.
///
/// # Errors
/// If the database fails.
pub async fn lock_in<'a>(
    tx: &DatabaseTransaction,
    accounts: impl IntoIterator<Item = &'a str>,
) -> Result<()> {
    let accounts: BTreeSet<_> = accounts.into_iter().collect();
    let accounts: Vec<_> = accounts.into_iter().collect();
    for chunk in accounts.chunks(bulk::rows_of(1)) {
        let _locked: Vec<String> = wallet::Entity::find()
            .select_only()
            .column(Column::Account)
            .filter(bulk::among(tx, Column::Account, chunk.iter().copied()))
            .order_by_asc(Column::Account)
            .for_update()
            .into_tuple()
            .all(tx)
            .await?;
    }
    Ok(())
}

/// Enters postings, and adds each account's net to its balance.
///
/// # Errors
/// If an account has no wallet, a posting is there already, or the database fails.
pub async fn post_in(tx: &DatabaseTransaction, postings: &[Posting]) -> Result<()> {
    let mut nets = BTreeMap::<&str, i64>::new();
    for posting in postings {
        let net = nets.entry(&posting.account).or_default();
        *net = net
            .checked_add(posting.delta_qirat)
            .ok_or_else(|| anyhow!("the net of {} overflows", posting.account))?;
    }
    bulk::insert_in(tx, postings.iter().map(Posting::row).collect()).await?;
    let nets: Vec<_> = nets.into_iter().collect();
    for chunk in nets.chunks(bulk::rows_of(2)) {
        change_in(tx, chunk.len(), &add_nets(tx, chunk)).await?;
    }
    Ok(())
}

/// Sets folded balances and tax timers; the last of an account counts.
///
/// # Errors
/// If an account has no wallet, or the database fails.
pub async fn folded_in(tx: &DatabaseTransaction, folded: &[Folded]) -> Result<()> {
    let last: BTreeMap<_, _> = folded
        .iter()
        .map(|folded| (folded.account.as_str(), folded))
        .collect();
    let last: Vec<_> = last.into_values().collect();
    for chunk in last.chunks(bulk::rows_of(3)) {
        change_in(tx, chunk.len(), &set_folded(tx, chunk)).await?;
    }
    Ok(())
}

/// Opens credits, and removes those that were folded since, also of the same
/// group.
///
/// # Errors
/// If one is open already, a folded one never was, or the database fails.
pub async fn credits_in(
    tx: &DatabaseTransaction,
    opened: &[Credit],
    folded: &[CreditKey],
) -> Result<()> {
    bulk::insert_in(tx, opened.iter().map(Credit::row).collect()).await?;
    for chunk in folded.chunks(bulk::rows_of(4)) {
        let keys = chunk.iter().map(|key| {
            let CreditKey {
                account,
                msp_id,
                lane,
                first_sequence,
            } = key.clone();
            (account, msp_id, lane, first_sequence)
        });
        let given = Query::select()
            .expr(Expr::cust("*"))
            .from(bulk::values(tx, keys))
            .to_owned();
        let key = [
            credit::Column::Account,
            credit::Column::MspId,
            credit::Column::Lane,
            credit::Column::FirstSequence,
        ];
        let removed = credit::Entity::delete_many()
            .filter(Expr::tuple(key.map(Expr::col)).in_subquery(given))
            .exec(tx)
            .await?;
        expect_rows("open credits", chunk.len(), removed.rows_affected)?;
    }
    Ok(())
}

fn add_nets(tx: &DatabaseTransaction, nets: &[(&str, i64)]) -> UpdateStatement {
    let rows = nets
        .iter()
        .map(|(account, net)| ((*account).to_owned(), *net));
    let balance = Expr::col((wallet::Entity, Column::BalanceQirat));
    by_account()
        .from(bulk::values(tx, rows))
        .value(
            Column::BalanceQirat,
            balance.add(Expr::col((GIVEN, SECOND))),
        )
        .to_owned()
}

fn set_folded(tx: &DatabaseTransaction, folded: &[&Folded]) -> UpdateStatement {
    let rows = folded.iter().map(|folded| {
        let account = folded.account.clone();
        (account, folded.folded_qirat, folded.tax_timer_start_ms)
    });
    by_account()
        .from(bulk::values(tx, rows))
        .value(Column::FoldedQirat, Expr::col((GIVEN, SECOND)))
        .value(Column::TaxTimerStartMs, Expr::col((GIVEN, THIRD)))
        .to_owned()
}

/// Joins the wallets with given rows whose first value is the account.
fn by_account() -> UpdateStatement {
    Query::update()
        .table(wallet::Entity)
        .and_where(Expr::col((wallet::Entity, Column::Account)).equals((GIVEN, FIRST)))
        .to_owned()
}

async fn change_in(tx: &DatabaseTransaction, rows: usize, update: &UpdateStatement) -> Result<()> {
    let changed = tx.execute(update).await?;
    expect_rows("wallets", rows, changed.rows_affected())
}

/// A fact about a row that is not there means that the read model and the chain
/// have parted; nothing may be built on that.
fn expect_rows(what: &str, expected: usize, affected: u64) -> Result<()> {
    if usize::try_from(affected) == Ok(expected) {
        return Ok(());
    }
    Err(Error::Internal(anyhow!(
        "facts about {expected} {what}, of which {affected} are known"
    )))
}

#[cfg(test)]
mod tests;
