//! The only writer of the wallets' chain columns, of entries and of open credits.
//! The projector calls it in its transaction, with the facts of one partition
//! and of a group of blocks in their order; of `reserved_qirat` it takes what
//! settled commands held.
//!
//! Within a transaction: [`open_in`], then [`change_in`] once, then [`credits_in`].

mod facts;

use std::collections::BTreeMap;

use anyhow::anyhow;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect,
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
        bulk::{self, FIFTH, FIRST, FOURTH, GIVEN, SECOND, THIRD},
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

/// What a group of blocks does to wallets.
#[derive(Debug, Clone, Copy, Default)]
pub struct Changes<'a> {
    /// Changes of balances.
    pub postings: &'a [Posting],
    /// Folded balances and tax timers; the last of an account counts.
    pub folded: &'a [Folded],
    /// What settled commands held, by account: it is held no longer.
    pub released: &'a [(String, i64)],
}

/// Enters postings, and changes each wallet once, whatever becomes of it: as long as a
/// snapshot is held, a row is found behind all its versions.
///
/// One call for all that the transaction will change locks the wallets in the order in
/// which everybody does, and keeps it from meeting the intake in a deadlock.
///
/// # Errors
/// If an account has no wallet, a posting is there already, or the database fails.
pub async fn change_in(tx: &DatabaseTransaction, changes: Changes<'_>) -> Result<()> {
    let rows = changes.postings.iter().map(Posting::row);
    bulk::insert_in(tx, rows.collect()).await?;
    let changes = changes.by_account()?;
    let accounts: Vec<_> = changes.keys().copied().collect();
    // What a wallet becomes, and its account once more.
    for chunk in accounts.chunks(bulk::rows_of(6)) {
        let wallets = lock_in(tx, chunk).await?;
        expect_rows("wallets", chunk.len(), wallets.len() as u64)?;
        let changed = changed(&changes, wallets)?;
        tx.execute(&set(tx, chunk, changed)).await?;
    }
    Ok(())
}

/// Wallets as they are to be, whatever order the database gives them in: it may know
/// another one of their names.
fn changed(
    changes: &BTreeMap<&str, Change<'_>>,
    mut wallets: Vec<Changing>,
) -> Result<Vec<Changing>> {
    for wallet in &mut wallets {
        if let Some(change) = changes.get(wallet.account.as_str()) {
            change.apply_to(wallet)?;
        }
    }
    Ok(wallets)
}

/// What becomes of one wallet.
#[derive(Debug, Default)]
struct Change<'a> {
    net_qirat: i64,
    folded: Option<&'a Folded>,
    released_qirat: i64,
}

impl<'a> Changes<'a> {
    fn by_account(self) -> Result<BTreeMap<&'a str, Change<'a>>> {
        let mut changes = BTreeMap::<&str, Change<'_>>::new();
        for posting in self.postings {
            let change = changes.entry(&posting.account).or_default();
            let net = change.net_qirat.checked_add(posting.delta_qirat);
            change.net_qirat =
                net.ok_or_else(|| anyhow!("the net of {} overflows", posting.account))?;
        }
        for folded in self.folded {
            changes.entry(&folded.account).or_default().folded = Some(folded);
        }
        for (account, qirat) in self.released {
            changes.entry(account).or_default().released_qirat += qirat;
        }
        Ok(changes)
    }
}

/// The columns of a wallet that blocks change.
#[derive(Debug, PartialEq, Eq, FromQueryResult)]
struct Changing {
    account: String,
    balance_qirat: i64,
    folded_qirat: i64,
    tax_timer_start_ms: i64,
    reserved_qirat: i64,
}

impl Change<'_> {
    fn apply_to(&self, wallet: &mut Changing) -> Result<()> {
        let balance = wallet.balance_qirat.checked_add(self.net_qirat);
        wallet.balance_qirat =
            balance.ok_or_else(|| anyhow!("the balance of {} overflows", wallet.account))?;
        wallet.reserved_qirat -= self.released_qirat;
        if let Some(folded) = self.folded {
            wallet.folded_qirat = folded.folded_qirat;
            wallet.tax_timer_start_ms = folded.tax_timer_start_ms;
        }
        Ok(())
    }
}

/// Locks wallets, in the order of their accounts.
async fn lock_in(tx: &DatabaseTransaction, accounts: &[&str]) -> Result<Vec<Changing>> {
    let locked = wallet::Entity::find()
        .select_only()
        .columns([
            Column::Account,
            Column::BalanceQirat,
            Column::FoldedQirat,
            Column::TaxTimerStartMs,
            Column::ReservedQirat,
        ])
        .filter(bulk::among(tx, Column::Account, accounts.iter().copied()))
        .order_by_asc(Column::Account)
        .for_update()
        .into_model();
    Ok(locked.all(tx).await?)
}

/// Writes what locked wallets are to be.
fn set(tx: &DatabaseTransaction, accounts: &[&str], wallets: Vec<Changing>) -> UpdateStatement {
    let rows = wallets.into_iter().map(|wallet| {
        (
            wallet.account,
            wallet.balance_qirat,
            wallet.folded_qirat,
            wallet.tax_timer_start_ms,
            wallet.reserved_qirat,
        )
    });
    let given = |column| Expr::col((GIVEN, column));
    Query::update()
        .table(wallet::Entity)
        .from(bulk::values(tx, rows))
        .value(Column::BalanceQirat, given(SECOND))
        .value(Column::FoldedQirat, given(THIRD))
        .value(Column::TaxTimerStartMs, given(FOURTH))
        .value(Column::ReservedQirat, given(FIFTH))
        .and_where(Expr::col((wallet::Entity, Column::Account)).equals((GIVEN, FIRST)))
        // Says nothing more, but that the rows are found by their index.
        .and_where(bulk::among(tx, Column::Account, accounts.iter().copied()))
        .to_owned()
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
