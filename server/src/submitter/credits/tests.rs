//! What naming credits promises.

use gx_proto::gx::contract::v1::Transfer;
use sea_orm::sea_query::Expr;

use super::*;
use crate::{
    fixture,
    wallet::projection::{self, Credit},
};

const LANE: &str = "partner/0";

/// The lane, with nothing in flight.
async fn lane(tx: &DatabaseTransaction) -> lane::Model {
    crate::outbox::lanes::create_in(tx, vec![LANE.to_owned()])
        .await
        .unwrap();
    lane::Entity::find_by_id(LANE)
        .one(tx)
        .await
        .unwrap()
        .unwrap()
}

/// A wallet whose coins are all in `credits` open credits of 10 Qirat, with a
/// transfer of `qirat` that waits.
async fn waiting(credits: i64, qirat: i64) -> (DatabaseTransaction, String, Vec<Pending>) {
    let app = fixture::app().await;
    let account = fixture::person(&app, 7, "DE").await.to_string();
    let receiver = fixture::account(8).to_string();
    let tx = app.store.begin().await.unwrap();
    wallet::Entity::update_many()
        .col_expr(wallet::Column::ReservedQirat, Expr::value(qirat))
        .filter(wallet::Column::Account.eq(account.as_str()))
        .exec(&tx)
        .await
        .unwrap();
    let open = (1..=credits).map(|first_sequence| Credit {
        key: projection::CreditKey {
            account: account.clone(),
            msp_id: "Org1MSP".to_owned(),
            lane: "partner/1".to_owned(),
            first_sequence,
        },
        delta_qirat: 10,
    });
    projection::credits_in(&tx, &open.collect::<Vec<_>>(), &[])
        .await
        .unwrap();
    let transfer = Transfer {
        sender: account.clone(),
        receiver,
        amount_qirat: u64::try_from(qirat).unwrap(),
        max_fee_qirat: 0,
        reference_digest: Vec::new().into(),
    };
    let command = Command {
        id: vec![1; 16].into(),
        request_digest: vec![2; 32].into(),
        body: Some(Body::Transfer(transfer)),
    };
    (
        tx,
        account,
        vec![Pending {
            id: Uuid::from_u128(1),
            command,
        }],
    )
}

#[tokio::test]
async fn a_debit_names_the_credits_that_it_may_need() {
    let (tx, account, mut pending) = waiting(30, 250).await;
    let named = name_in(&tx, &lane(&tx).await, &mut pending, 500, 0)
        .await
        .unwrap();
    assert_eq!(pending.len(), 1, "few credits need no Fold");
    assert_eq!((named.len(), named[0].credits.len()), (1, 30));
    assert_eq!(named[0].account, account);
}

#[tokio::test]
async fn a_debit_that_the_folded_balance_covers_names_none() {
    let (tx, _, mut pending) = waiting(30, 0).await;
    assert_eq!(
        name_in(&tx, &lane(&tx).await, &mut pending, 500, 0)
            .await
            .unwrap(),
        []
    );
}

#[tokio::test]
async fn a_debit_that_needs_more_credits_than_it_may_name_gets_a_fold_first() {
    let (tx, account, mut pending) = waiting(300, 2_990).await;
    let named = name_in(&tx, &lane(&tx).await, &mut pending, 500, 0)
        .await
        .unwrap();
    assert_eq!(pending.len(), 2);
    let first = pending[0].command.body.clone();
    assert_eq!(
        first,
        Some(Body::Fold(Fold {
            account: account.clone(),
            judge: false
        }))
    );
    assert_eq!((named.len(), named[0].credits.len()), (1, 300));
    let row = row::Entity::find_by_id(pending[0].id)
        .one(&tx)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((row.lane.as_str(), row.number), (LANE, None));
}

#[tokio::test]
async fn a_fold_displaces_what_the_limit_does_not_hold() {
    let (tx, _, mut pending) = waiting(300, 2_990).await;
    let named = name_in(&tx, &lane(&tx).await, &mut pending, 1, 0)
        .await
        .unwrap();
    assert_eq!(pending.len(), 1);
    assert!(matches!(pending[0].command.body, Some(Body::Fold(_))));
    assert_eq!(named[0].credits.len(), 300);
}

#[tokio::test]
async fn a_debit_waits_for_as_many_folds_as_it_needs() {
    let (tx, _, mut pending) = waiting(1_500, 14_000).await;
    name_in(&tx, &lane(&tx).await, &mut pending, 500, 0)
        .await
        .unwrap();
    assert_eq!(pending.len(), 1, "a thousand credits are not enough");
    assert!(matches!(pending[0].command.body, Some(Body::Fold(_))));
}

#[tokio::test]
async fn a_fold_is_formed_only_where_the_read_model_has_seen_all() {
    let (tx, _, mut pending) = waiting(300, 2_990).await;
    let lane = lane::Model {
        formed_number: 4,
        ..lane(&tx).await
    };
    let named = name_in(&tx, &lane, &mut pending, 500, 0).await.unwrap();
    assert!(pending.is_empty() && named.is_empty());
}
