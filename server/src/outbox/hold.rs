//! Money that accepted commands hold: `wallets.reserved_qirat`, which stands in the row
//! of the balance so that `balance - reserved` is decided under one lock. What is held
//! grows here alone; once a command is settled, the projection of wallets takes it off
//! together with what else becomes of the row.

use std::collections::BTreeMap;

use gx_proto::gx::{common::v1::Reason, contract::v1::AccountStatus};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, QueryOrder,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, Query},
};

use super::Refusal;
use crate::store::{
    Lock,
    bulk::{self, FIRST, GIVEN, SECOND},
};

/// The part of a row of `wallets` that holds need.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "wallets")]
pub struct Model {
    /// The account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: String,
    /// `gx.contract.v1.AccountStatus`.
    pub status: i32,
    /// All coins, as the ledger has them.
    pub balance_qirat: i64,
    /// Coins held.
    pub reserved_qirat: i64,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Wallets that one transaction has locked, and what it decided to hold of them.
#[derive(Debug, Default)]
pub(super) struct Holds {
    wallets: BTreeMap<String, Model>,
    taken: BTreeMap<String, i64>,
}

impl Holds {
    /// Locks the wallets, in order of their accounts.
    pub(super) async fn lock_in(
        tx: &DatabaseTransaction,
        accounts: Vec<String>,
    ) -> Result<Self, DbErr> {
        if accounts.is_empty() {
            return Ok(Self::default());
        }
        let locked = Entity::find()
            .filter(bulk::among(tx, Column::Account, accounts))
            .order_by_asc(Column::Account)
            .for_update()
            .all(tx)
            .await?;
        let wallets = locked
            .into_iter()
            .map(|wallet| (wallet.account.clone(), wallet))
            .collect();
        Ok(Self {
            wallets,
            taken: BTreeMap::new(),
        })
    }

    /// Decides whether `qirat` more of an account may be held.
    pub(super) fn decide(&mut self, account: &str, qirat: i64) -> Result<(), Refusal> {
        let Some(wallet) = self.wallets.get(account) else {
            return Err(Refusal::new(Reason::SenderNotActive));
        };
        if wallet.status != i32::from(AccountStatus::Active) {
            return Err(Refusal::new(Reason::SenderNotActive));
        }
        let taken = self.taken.get(account).copied().unwrap_or(0);
        let available = wallet.balance_qirat - wallet.reserved_qirat - taken;
        if available < qirat {
            return Err(Refusal::new(Reason::InsufficientFunds)
                .with("available_qirat", Ord::max(available, 0).to_string()));
        }
        *self.taken.entry(account.to_owned()).or_default() += qirat;
        Ok(())
    }

    /// Writes what was decided.
    pub(super) async fn hold_in(self, tx: &DatabaseTransaction) -> Result<(), DbErr> {
        let taken: Vec<_> = self.taken.into_iter().collect();
        for chunk in taken.chunks(bulk::rows_of(3)) {
            let accounts = chunk.iter().map(|(account, _)| account.as_str());
            let reserved = Expr::col((Entity, Column::ReservedQirat));
            let update = Query::update()
                .table(Entity)
                .from(bulk::values(tx, chunk.iter().cloned()))
                .value(
                    Column::ReservedQirat,
                    reserved.add(Expr::col((GIVEN, SECOND))),
                )
                .and_where(Expr::col((Entity, Column::Account)).equals((GIVEN, FIRST)))
                // Says nothing more, but that the rows are found by their index.
                .and_where(bulk::among(tx, Column::Account, accounts))
                .to_owned();
            tx.execute(&update).await?;
        }
        Ok(())
    }
}
