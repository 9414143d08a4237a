//! The writers of the directory, but for `bind.rs`: an approval claims an account for
//! its owner, the chain opens it.

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        directory::{Listing, lookup, owner_in},
        fixture,
    };

    const ACCOUNT: &str = "GX-0000-0000-0000-00000";

    fn opened() -> Opened {
        Opened {
            account: ACCOUNT.to_owned(),
            account_type: AccountType::Person,
            country: "DE".to_owned(),
        }
    }

    async fn seen(tx: &DatabaseTransaction) -> (Option<UserId>, Listing) {
        let owner = owner_in(tx, [ACCOUNT]).await.unwrap().remove(ACCOUNT);
        (
            owner,
            lookup(tx, [ACCOUNT])
                .await
                .unwrap()
                .remove(ACCOUNT)
                .unwrap(),
        )
    }

    #[tokio::test]
    async fn claim_and_opening_meet_in_either_order() {
        let owner = fixture::user(1).user;
        for claim_first in [true, false] {
            let app = fixture::app().await;
            let tx = app.store.begin().await.unwrap();
            for claims in [claim_first, !claim_first] {
                if claims {
                    claim_in(&tx, ACCOUNT, owner, "A*** B***", "DE")
                        .await
                        .unwrap();
                } else {
                    opened_in(&tx, &[opened()]).await.unwrap();
                }
            }
            let listing = Listing {
                masked_name: "A*** B***".to_owned(),
                account_type: AccountType::Person,
                country: "DE".to_owned(),
                opened: true,
            };
            assert_eq!(seen(&tx).await, (Some(owner), listing));
        }
    }

    #[tokio::test]
    async fn claimed_account_is_not_open() {
        let app = fixture::app().await;
        let tx = app.store.begin().await.unwrap();
        claim_in(&tx, ACCOUNT, fixture::user(1).user, "A***", "DE")
            .await
            .unwrap();
        claim_in(&tx, ACCOUNT, fixture::user(1).user, "B***", "DE")
            .await
            .unwrap();
        let (_, listing) = seen(&tx).await;
        assert!(!listing.opened);
        assert_eq!(listing.masked_name, "B***");
    }

    #[tokio::test]
    async fn nobody_claims_an_account_of_another() {
        let app = fixture::app().await;
        let tx = app.store.begin().await.unwrap();
        claim_in(&tx, ACCOUNT, fixture::user(1).user, "A***", "DE")
            .await
            .unwrap();
        let taken = claim_in(&tx, ACCOUNT, fixture::user(2).user, "B***", "FR").await;
        assert!(taken.is_err());
        assert_eq!(seen(&tx).await.0, Some(fixture::user(1).user));
    }

    #[tokio::test]
    async fn pools_and_treasuries_stand_in_full() {
        let app = fixture::app().await;
        for name in ["SYSTEM_GX_POOL", "TREASURY_DE"] {
            fixture::open(&app, name, AccountType::System, "").await;
            let listings = lookup(app.store.read(), [name]).await.unwrap();
            assert_eq!(listings[name].masked_name, name);
        }
    }
}
