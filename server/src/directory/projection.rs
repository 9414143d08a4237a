//! The only writers of the directory: an approval claims an account for its
//! owner, the chain opens it.

use anyhow::anyhow;
use gx_contract::account;
use gx_proto::gx::contract::v1::AccountType;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, Iterable,
    sea_query::{ExprTrait, OnConflict},
};

use super::entity::{Column, Entity, Model};
use crate::{
    auth::UserId,
    error::{Error, Result},
    store::bulk,
};

/// An account that the chain has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The account.
    pub account: String,
    /// What it is.
    pub account_type: AccountType,
    /// ISO 3166-1 alpha-2; empty for pools.
    pub country: String,
}

/// Says whose an account is, in the transaction that asks the chain for it; the
/// chain need not have it yet. Claiming it again changes the name alone.
///
/// # Errors
/// If somebody else has claimed it, or the database fails.
pub async fn claim_in(
    tx: &DatabaseTransaction,
    account: &str,
    user: UserId,
    masked_name: &str,
    country: &str,
) -> Result<()> {
    let claim = Model {
        account: account.to_owned(),
        user_id: Some(user.0),
        masked_name: masked_name.to_owned(),
        account_type: AccountType::Unspecified.into(),
        country: country.to_owned(),
        opened: false,
    };
    let free = Column::UserId.is_null().or(Column::UserId.eq(user.0));
    let claimed = Entity::insert(claim.into_active_model())
        .on_conflict(
            OnConflict::column(Column::Account)
                .update_columns([Column::UserId, Column::MaskedName])
                .action_and_where(free)
                .to_owned(),
        )
        .exec_without_returning(tx)
        .await?;
    match claimed {
        1 => Ok(()),
        _ => Err(Error::Internal(anyhow!(
            "{account} belongs to another user"
        ))),
    }
}

/// Lists accounts that the chain has opened; owner and name stay as claimed.
///
/// # Errors
/// If the database fails.
pub async fn opened_in(tx: &DatabaseTransaction, accounts: &[Opened]) -> Result<()> {
    for chunk in accounts.chunks(bulk::rows_of(Column::iter().count())) {
        Entity::insert_many(chunk.iter().map(|opened| row(opened).into_active_model()))
            .on_conflict(
                OnConflict::column(Column::Account)
                    .update_columns([Column::AccountType, Column::Country, Column::Opened])
                    .to_owned(),
            )
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

fn row(opened: &Opened) -> Model {
    Model {
        account: opened.account.clone(),
        user_id: None,
        masked_name: public_name(&opened.account),
        account_type: opened.account_type.into(),
        country: opened.country.clone(),
        opened: true,
    }
}

/// Pools and treasuries have names that everybody may know.
fn public_name(account: &str) -> String {
    if account::is_system(account) || account::is_treasury(account) {
        account.to_owned()
    } else {
        String::new()
    }
}
