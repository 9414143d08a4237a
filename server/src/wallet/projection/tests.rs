//! What the projection promises about its rows.

use gx_proto::gx::contract::v1::{AccountStatus, AccountType};
use sea_orm::{ColumnTrait, PaginatorTrait};

use super::*;
use crate::{app::App, fixture, wallet::entity::entry};

async fn wallet(app: &App, account: &str) -> wallet::Model {
    let found = wallet::Entity::find_by_id(account)
        .one(app.store.read())
        .await;
    found.unwrap().unwrap()
}

fn key(first_sequence: i64) -> CreditKey {
    CreditKey {
        account: "SYSTEM_OPERATIONS_FUND".to_owned(),
        msp_id: "Org1MSP".to_owned(),
        lane: "partner/1".to_owned(),
        first_sequence,
    }
}

fn credit(first_sequence: i64) -> Credit {
    Credit {
        key: key(first_sequence),
        delta_qirat: 7,
    }
}

fn folded(account: &str, folded_qirat: i64) -> Folded {
    Folded {
        account: account.to_owned(),
        folded_qirat,
        tax_timer_start_ms: folded_qirat + 1,
    }
}

#[tokio::test]
async fn entries_sum_to_the_balance() {
    let app = fixture::app().await;
    let (ann, bee) = (
        fixture::person(&app, 1, "DE").await,
        fixture::person(&app, 2, "DE").await,
    );
    for block in 1..=20 {
        fixture::pay(&app, block, ann.as_str(), bee.as_str(), block * block).await;
        fixture::pay(&app, block + 100, bee.as_str(), ann.as_str(), 1_000).await;
    }
    let entries = entry::Entity::find().all(app.store.read()).await.unwrap();
    for account in [ann.as_str(), bee.as_str()] {
        let own = entries.iter().filter(|entry| entry.account == account);
        let sum: i64 = own.map(|entry| entry.delta_qirat).sum();
        assert_eq!(wallet(&app, account).await.balance_qirat, sum);
    }
    assert_eq!(
        wallet(&app, ann.as_str()).await.balance_qirat,
        20_000 - 2_870
    );
}

#[tokio::test]
async fn group_larger_than_a_statement_is_written_whole() {
    let app = fixture::app().await;
    let ann = fixture::person(&app, 1, "DE").await;
    let postings: Vec<_> = (0..6_000)
        .map(|place| fixture::posting(1, place, ann.as_str(), 2, ""))
        .collect();
    fixture::post(&app, &postings).await;
    assert_eq!(wallet(&app, ann.as_str()).await.balance_qirat, 12_000);
    let entries = entry::Entity::find().count(app.store.read()).await.unwrap();
    assert_eq!(entries, 6_000);
}

#[tokio::test]
async fn more_wallets_than_a_statement_takes_are_changed_all() {
    let app = fixture::app().await;
    let names: Vec<_> = (0..6_000).map(|number| format!("GX-{number}")).collect();
    let opened = names.iter().map(|name| OpenedAccount {
        account: name.clone(),
        account_type: AccountType::Person,
        status: AccountStatus::Active,
        country: "DE".to_owned(),
        lane: "partner/0".to_owned(),
        time_ms: 0,
    });
    let postings = (0..).zip(&names);
    let postings = postings.map(|(place, name)| fixture::posting(1, place, name, 2, ""));
    let postings: Vec<_> = postings.collect();
    let tx = app.store.begin().await.unwrap();
    open_in(&tx, &opened.collect::<Vec<_>>()).await.unwrap();
    let changes = Changes {
        postings: &postings,
        ..Changes::default()
    };
    change_in(&tx, changes).await.unwrap();
    let changed = wallet::Entity::find().filter(Column::BalanceQirat.eq(2));
    assert_eq!(changed.count(&tx).await.unwrap(), 6_000);
}

#[tokio::test]
async fn wallet_belongs_to_who_claimed_it() {
    let app = fixture::app().await;
    let ann = fixture::person(&app, 1, "DE").await;
    let row = wallet(&app, ann.as_str()).await;
    assert_eq!(row.user_id, Some(fixture::user(1).user.0));
    assert_eq!(
        (row.balance_qirat, row.reserved_qirat, row.folded_qirat),
        (0, 0, 0)
    );
    assert_eq!(row.lane, fixture::lane_of(ann.as_str()));

    let stranger = fixture::account(2);
    fixture::open(&app, stranger.as_str(), AccountType::Person, "DE").await;
    assert_eq!(wallet(&app, stranger.as_str()).await.user_id, None);
}

#[tokio::test]
async fn facts_that_do_not_fit_the_rows_are_refused() {
    let app = fixture::app().await;
    let ann = fixture::person(&app, 1, "DE").await;
    let tx = app.store.begin().await.unwrap();
    let posting = fixture::posting(1, 0, "GX-unknown", 1, "");
    let folded = [folded(ann.as_str(), 1), folded("GX-unknown", 1)];
    let released = [("GX-unknown".to_owned(), 1)];
    let unknown = [
        Changes {
            postings: &[posting],
            ..Changes::default()
        },
        Changes {
            folded: &folded,
            ..Changes::default()
        },
        Changes {
            released: &released,
            ..Changes::default()
        },
    ];
    for changes in unknown {
        assert!(change_in(&tx, changes).await.is_err());
    }
    assert!(credits_in(&tx, &[], &[key(1)]).await.is_err());
    let again = OpenedAccount {
        account: ann.to_string(),
        account_type: AccountType::Person,
        status: AccountStatus::Active,
        country: "DE".to_owned(),
        lane: "partner/0".to_owned(),
        time_ms: 0,
    };
    assert!(open_in(&tx, &[again]).await.is_err());
}

#[test]
fn each_wallet_gets_its_own_change_in_whatever_order_it_comes() {
    let wallet = |account: &str, balance_qirat| Changing {
        account: account.to_owned(),
        balance_qirat,
        folded_qirat: 0,
        tax_timer_start_ms: 0,
        reserved_qirat: 9,
    };
    let postings = [
        fixture::posting(1, 0, "A_B", 1, ""),
        fixture::posting(1, 1, "AA", 10, ""),
        fixture::posting(1, 2, "AA", 10, ""),
    ];
    let released = [("A_B".to_owned(), 9)];
    let changes = Changes {
        postings: &postings,
        released: &released,
        ..Changes::default()
    };
    // As a collation has it that minds no underscores.
    let wallets = vec![wallet("A_B", 0), wallet("AA", 0)];
    let changed = changed(&changes.by_account().unwrap(), wallets).unwrap();
    let released = Changing {
        reserved_qirat: 0,
        ..wallet("A_B", 1)
    };
    assert_eq!(changed, [released, wallet("AA", 20)]);
}

#[tokio::test]
async fn last_folded_balance_counts_and_touches_nothing_else() {
    let app = fixture::app().await;
    let ann = fixture::person(&app, 1, "DE").await;
    let before = wallet(&app, ann.as_str()).await;
    let tx = app.store.begin().await.unwrap();
    let folded = [folded(ann.as_str(), 5), folded(ann.as_str(), 3)];
    let changes = Changes {
        folded: &folded,
        ..Changes::default()
    };
    change_in(&tx, changes).await.unwrap();
    tx.commit().await.unwrap();
    let after = wallet(&app, ann.as_str()).await;
    assert_eq!((after.folded_qirat, after.tax_timer_start_ms), (3, 4));
    assert_eq!(
        (after.balance_qirat, after.reserved_qirat),
        (before.balance_qirat, before.reserved_qirat)
    );
}

#[tokio::test]
async fn credits_stay_open_until_they_are_folded() {
    let app = fixture::app().await;
    let tx = app.store.begin().await.unwrap();
    credits_in(&tx, &[credit(1), credit(4), credit(9)], &[key(4)])
        .await
        .unwrap();
    credits_in(&tx, &[], &[key(1)]).await.unwrap();
    let open = credit::Entity::find().all(&tx).await.unwrap();
    assert_eq!(
        open.iter()
            .map(|row| row.first_sequence)
            .collect::<Vec<_>>(),
        [9]
    );
    assert_eq!(open[0].delta_qirat, 7);
}
