//! A wallet: one account with its coins.

use gx_contract::account::AccountId;
use gx_proto::gx::contract::v1::AccountType;
use sea_orm::{Condition, entity::prelude::*};

use crate::{
    auth::Caller,
    directory::AccountName,
    error::{Error, Result},
};

/// One row of `wallets`. Only the projection writes it, but what is held anew, and the
/// owner where staff binds the account to a person.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "wallets")]
pub struct Model {
    /// The account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: String,
    /// Whose it is; empty for pools and treasuries.
    pub user_id: Option<Uuid>,
    /// The lane of its debits, such as `partner/3`.
    pub lane: String,
    /// `gx.contract.v1.AccountType`.
    #[sea_orm(column_name = "type")]
    pub account_type: i32,
    /// `gx.contract.v1.AccountStatus`.
    pub status: i32,
    /// ISO 3166-1 alpha-2; empty for pools.
    pub country: String,
    /// All coins, as the ledger has them.
    pub balance_qirat: i64,
    /// The part of them that debits reach without open credits.
    pub folded_qirat: i64,
    /// Coins held by accepted commands: the outbox adds to them, the projection takes off
    /// what has settled.
    pub reserved_qirat: i64,
    /// Start of the running tax timer; 0 if it is not running.
    pub tax_timer_start_ms: i64,
    /// When the account was opened.
    pub created_ms: i64,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// What the account is.
    pub fn account_type(&self) -> AccountType {
        AccountType::try_from(self.account_type).unwrap_or_default()
    }
}

impl Entity {
    /// A wallet that the caller may look at: an own one, or any for whoever
    /// reads everything.
    ///
    /// # Errors
    /// `NOT_FOUND`, for a stranger's wallet as for none.
    pub async fn readable(
        db: &impl ConnectionTrait,
        caller: &Caller,
        account: &AccountName,
    ) -> Result<Model> {
        let wallet = Self::find().filter(Self::visible(caller, account));
        Self::found(wallet.one(db).await?, account.as_str())
    }

    /// A wallet that the caller may spend from: an own one.
    ///
    /// # Errors
    /// As [`Entity::readable`].
    pub async fn own(
        db: &impl ConnectionTrait,
        caller: &Caller,
        account: &AccountId,
    ) -> Result<Model> {
        let own = Self::find_by_id(account.as_str()).filter(Column::UserId.eq(caller.user.0));
        Self::found(own.one(db).await?, account.as_str())
    }

    /// Finds a wallet that the caller may look at.
    pub fn visible(caller: &Caller, account: &AccountName) -> Condition {
        let owner = (!caller.reads_everything()).then(|| Column::UserId.eq(caller.user.0));
        Condition::all()
            .add(Column::Account.eq(account.as_str()))
            .add_option(owner)
    }

    /// A wallet, if one was found.
    ///
    /// # Errors
    /// `NOT_FOUND`, for a stranger's wallet as for none.
    pub fn found(found: Option<Model>, account: &str) -> Result<Model> {
        found.ok_or_else(|| Error::not_found(format!("wallets/{account}")))
    }
}
