//! Looks at watched wallets, all at once: whether one of them changed.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QuerySelect};

use super::entity::{entry, wallet};
use crate::{app::App, checkpoint, error::Result, store::bulk, watch::Look};

/// What is told of a wallet; another one says that there is something to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct News {
    status: i32,
    balance_qirat: i64,
    reserved_qirat: i64,
    /// The block of the last entry that was seen to come; entries may cancel each other
    /// out, so that the balance tells nothing.
    block: i64,
}

/// Looks at wallets.
#[derive(Debug, Default)]
pub(super) struct Wallets {
    seen: Mutex<Seen>,
}

/// What the last look saw.
#[derive(Debug, Default)]
struct Seen {
    /// What every partition had applied: entries to come are behind it. `None` before
    /// the first look, whose news are news to everybody.
    applied: Option<i64>,
    /// The last entries' blocks, of the wallets that were asked for.
    blocks: HashMap<String, i64>,
}

#[async_trait]
impl Look for Wallets {
    type Key = String;
    type Value = News;

    async fn look(&self, app: &App, accounts: &[String]) -> Result<Vec<(String, News)>> {
        let db = app.store.read();
        // Before the entries, so that none falls between this look and the next.
        let applied = i64::try_from(checkpoint::lowest(db).await?).unwrap_or(i64::MAX);
        let since = self.seen().applied.unwrap_or(applied);
        let mut blocks = HashMap::with_capacity(accounts.len());
        let mut rows = Vec::with_capacity(accounts.len());
        for chunk in accounts.chunks(bulk::rows_of(2)) {
            blocks.extend(last_blocks(db, chunk, since).await?);
            let among = bulk::among(db, wallet::Column::Account, texts(chunk));
            rows.extend(wallet::Entity::find().filter(among).all(db).await?);
        }
        let mut seen = self.seen();
        for account in accounts {
            if let Some(block) = seen.blocks.get(account) {
                let last = blocks.entry(account.clone()).or_insert(*block);
                *last = (*last).max(*block);
            }
        }
        let told = rows.into_iter().map(|row| tell(row, &blocks)).collect();
        *seen = Seen {
            applied: Some(applied),
            blocks,
        };
        Ok(told)
    }
}

impl Wallets {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(row: wallet::Model, blocks: &HashMap<String, i64>) -> (String, News) {
    let news = News {
        status: row.status,
        balance_qirat: row.balance_qirat,
        reserved_qirat: row.reserved_qirat,
        block: blocks.get(&row.account).copied().unwrap_or_default(),
    };
    (row.account, news)
}

/// The last block of those accounts that have an entry behind a block.
async fn last_blocks(
    db: &DatabaseConnection,
    accounts: &[String],
    since: i64,
) -> Result<Vec<(String, i64)>> {
    let found = entry::Entity::find()
        .select_only()
        .column(entry::Column::Account)
        .column_as(entry::Column::Block.max(), "last")
        .filter(bulk::among(db, entry::Column::Account, texts(accounts)))
        .filter(entry::Column::Block.gt(since))
        .group_by(entry::Column::Account)
        .into_tuple();
    Ok(found.all(db).await?)
}

fn texts(accounts: &[String]) -> impl Iterator<Item = &str> {
    accounts.iter().map(String::as_str)
}
