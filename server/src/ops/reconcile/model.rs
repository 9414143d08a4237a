//! What the read model says, in one snapshot of the database.

use std::collections::BTreeMap;

use gx_contract::account::POOLS;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, JoinType,
    QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};

use super::{
    Qirat,
    chain::{Chain, Cut},
};
use crate::{
    checkpoint,
    outbox::entity::row,
    store::{
        Store,
        bulk::{self, FIRST, GIVEN, SECOND},
    },
    tokenomics::{CIRCULATING, TREASURIES, bucket_of, entity::supply},
    wallet::entity::{entry, wallet},
};

/// The read model at one moment.
#[derive(Debug, Default)]
pub(super) struct ReadModel {
    /// Every account that it knows of, by a wallet, an entry or a command.
    pub(super) accounts: BTreeMap<String, Account>,
    /// The last block that every partition has applied.
    pub(super) block: i64,
    /// What each part of the supply holds at that block, as it is counted.
    pub(super) buckets: BTreeMap<&'static str, i64>,
    /// What each part of the supply holds at that block, by the accounts' entries.
    pub(super) parts: BTreeMap<&'static str, i128>,
}

/// One account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Account {
    /// The wallet's balance, and what it reserves; `None` without a wallet.
    pub(super) wallet: Option<(i64, i64)>,
    /// All its entries.
    pub(super) entries: i64,
    /// Its entries up to the chain's cursors.
    pub(super) covered: i64,
    /// What commands that wait hold of it.
    pub(super) held: i64,
}

impl ReadModel {
    /// All entries up to the block.
    pub(super) fn supply(&self) -> Qirat {
        Qirat(self.parts.values().sum())
    }

    /// What waiting commands hold.
    pub(super) fn reserved(&self) -> Qirat {
        Qirat(self.accounts.values().map(|one| i128::from(one.held)).sum())
    }
}

/// Reads everything that is compared.
pub(super) async fn read(store: &Store, chain: &Chain) -> anyhow::Result<ReadModel> {
    let snapshot = store.snapshot().await?;
    let mut model = ReadModel::default();
    for wallet in wallets(&snapshot).await? {
        model.accounts.entry(wallet.account).or_default().wallet =
            Some((wallet.balance_qirat, wallet.reserved_qirat));
    }
    for (number, cut) in chain.cuts.iter().enumerate() {
        let sums = Sums::read(&snapshot, &entries(&snapshot, cut)).await?;
        for sums in sums
            .into_iter()
            .filter(|sums| chain.cut_of(&sums.account) == number)
        {
            let account = model.accounts.entry(sums.account).or_default();
            (account.entries, account.covered) = (sums.whole, sums.covered);
        }
    }
    for sums in Sums::read(&snapshot, &held()).await? {
        model.accounts.entry(sums.account).or_default().held = sums.whole;
    }
    let partitions = checkpoint::all(&snapshot).await?;
    let lowest = partitions.iter().map(|partition| partition.block).min();
    model.block = lowest.unwrap_or(-1);
    // Also of partitions that are not any more.
    let partitions = supply::Entity::find().select_only().distinct();
    let partitions = partitions.column(supply::Column::Partition).into_tuple();
    for partition in partitions.all(&snapshot).await? {
        for bucket in buckets() {
            let total = total(&snapshot, partition, bucket, model.block).await?;
            *model.buckets.entry(bucket).or_default() += total;
        }
    }
    for sums in Sums::read(&snapshot, &until(model.block)).await? {
        let part = model.parts.entry(bucket_of(&sums.account)).or_default();
        *part += i128::from(sums.whole);
    }
    Ok(model)
}

#[derive(FromQueryResult)]
struct Wallet {
    account: String,
    balance_qirat: i64,
    reserved_qirat: i64,
}

async fn wallets(db: &DatabaseTransaction) -> anyhow::Result<Vec<Wallet>> {
    use wallet::Column::{Account, BalanceQirat, ReservedQirat};
    let columns = [Account, BalanceQirat, ReservedQirat];
    let wallets = wallet::Entity::find().select_only().columns(columns);
    Ok(wallets.into_model().all(db).await?)
}

/// Sums of one account.
#[derive(FromQueryResult)]
struct Sums {
    account: String,
    whole: i64,
    covered: i64,
}

impl Sums {
    async fn read(db: &DatabaseTransaction, select: &SelectStatement) -> anyhow::Result<Vec<Self>> {
        let statement = db.get_database_backend().build(select);
        Ok(Self::find_by_statement(statement).all(db).await?)
    }
}

/// For each account the sum of its entries, and of those that the cursors cover.
fn entries(db: &DatabaseTransaction, cut: &Cut) -> SelectStatement {
    use entry::{Column::*, Entity};
    let cursors = cut.cursors.clone();
    let number = Expr::col((Entity, Number));
    let delta = || Expr::col((Entity, DeltaQirat));
    let is_covered = number.lte(Expr::col((GIVEN, SECOND)));
    let covered: Expr = Expr::case(is_covered, delta()).finally(0).into();
    Query::select()
        .expr_as(Expr::col((Entity, Account)), "account")
        .expr_as(delta().sum().cast_as("bigint"), "whole")
        .expr_as(covered.sum().cast_as("bigint"), "covered")
        .from(Entity)
        .join(
            JoinType::LeftJoin,
            bulk::values(db, cursors),
            Expr::col((Entity, Lane)).equals((GIVEN, FIRST)),
        )
        .group_by_col((Entity, Account))
        .to_owned()
}

/// For each account the sum of its entries up to a block.
fn until(block: i64) -> SelectStatement {
    use entry::{Column::*, Entity};
    Query::select()
        .expr_as(Expr::col(Account), "account")
        .expr_as(Expr::col(DeltaQirat).sum().cast_as("bigint"), "whole")
        .expr_as(Expr::val(0_i64).cast_as("bigint"), "covered")
        .from(Entity)
        .and_where(Expr::col(Block).lte(block))
        .group_by_col(Account)
        .to_owned()
}

/// For each account what the commands hold that are not settled; a command that
/// was voided is, and its row is only kept to be shown.
fn held() -> SelectStatement {
    use row::{Column::*, Entity};
    Query::select()
        .expr_as(Expr::col(HeldAccount), "account")
        .expr_as(Expr::col(HeldQirat).sum().cast_as("bigint"), "whole")
        .expr_as(Expr::val(0_i64).cast_as("bigint"), "covered")
        .from(Entity)
        .and_where(Expr::col(HeldAccount).is_not_null())
        .and_where(Expr::col(Voided).eq(false))
        .group_by_col(HeldAccount)
        .to_owned()
}

/// All parts of the supply.
fn buckets() -> impl Iterator<Item = &'static str> {
    let pools = POOLS.iter().map(|pool| pool.name);
    pools.chain([TREASURIES, CIRCULATING])
}

async fn total(
    db: &DatabaseTransaction,
    partition: i32,
    bucket: &str,
    block: i64,
) -> anyhow::Result<i64> {
    let last = supply::Entity::find()
        .filter(supply::Column::Partition.eq(partition))
        .filter(supply::Column::Bucket.eq(bucket))
        .filter(supply::Column::Block.lte(block))
        .order_by_desc(supply::Column::Block)
        .one(db)
        .await?;
    Ok(last.map_or(0, |row| row.total_qirat))
}
