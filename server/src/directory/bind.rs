//! Binds an account that nobody has to a person, as staff does after a restore. Whose
//! an account is stands in two tables, since the wallet took it from the directory when
//! it was opened; here both are written together.

use sea_orm::{DatabaseTransaction, entity::prelude::*, sea_query::ExprTrait};

use super::entity;
use crate::{auth::UserId, error::Result};

/// The part of a row of `wallets` that names the owner.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "wallets")]
pub struct Model {
    /// The account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: String,
    /// Whose it is.
    pub user_id: Option<Uuid>,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Makes a person the owner of an open account that nobody has, and tells whether
/// it is this person's now. Of two who are bound to one account, one is.
///
/// # Errors
/// If the database fails.
pub async fn bind_in(
    tx: &DatabaseTransaction,
    account: &str,
    user: UserId,
    masked_name: &str,
) -> Result<bool> {
    use entity::Column::{Account, MaskedName, Opened, UserId};
    let bound = entity::Entity::update_many()
        .col_expr(UserId, Expr::value(user.0))
        .col_expr(MaskedName, Expr::value(masked_name))
        .filter(Account.eq(account))
        .filter(Opened.eq(true))
        .filter(UserId.is_null().or(UserId.eq(user.0)))
        .exec(tx)
        .await?;
    if bound.rows_affected == 0 {
        return Ok(false);
    }
    Entity::update_many()
        .col_expr(Column::UserId, Expr::value(user.0))
        .filter(Column::Account.eq(account))
        .exec(tx)
        .await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::contract::v1::AccountType;

    use super::*;
    use crate::{
        directory::{lookup, owner_in},
        fixture,
    };

    #[tokio::test]
    async fn an_open_account_is_bound_to_one_person() {
        let app = fixture::app().await;
        let account = fixture::account(1);
        let account = account.as_str();
        let bind = async |number: u128, name: &str| {
            let tx = app.store.begin().await.unwrap();
            let user = fixture::user(number).user;
            let bound = bind_in(&tx, account, user, name).await.unwrap();
            tx.commit().await.unwrap();
            bound
        };
        assert!(!bind(1, "A***").await, "it is not there");
        fixture::open(&app, account, AccountType::Person, "DE").await;
        assert!(bind(1, "A***").await);
        assert!(!bind(2, "B***").await, "it is taken");
        assert!(bind(1, "A***").await, "it is the same person's");

        let (db, owner) = (app.store.read(), fixture::user(1).user);
        assert_eq!(owner_in(db, [account]).await.unwrap()[account], owner);
        assert_eq!(
            lookup(db, [account]).await.unwrap()[account].masked_name,
            "A***"
        );
        let wallet = Entity::find_by_id(account).one(db).await.unwrap();
        assert_eq!(wallet.unwrap().user_id, Some(owner.0));
    }
}
