//! What a list of operations promises.

use gx_proto::gx::operation::v1::OperationState::{
    Accepted, Refused, Stalled, Submitted, Succeeded,
};

use super::*;
use crate::fixture;

async fn record(app: &App, number: u128, state: OperationState, kind: OperationType) {
    let row = fixture::transfer(Uuid::from_u128(number), &fixture::user(1), state);
    let row = operation::Model {
        kind: kind.into(),
        // Two at a time.
        created_ms: i64::try_from(number / 2).unwrap(),
        ..row
    };
    fixture::record(app, row).await;
}

fn message(states: &[OperationState], types: &[OperationType]) -> ListOperationsRequest {
    ListOperationsRequest {
        states: states.iter().map(|state| i32::from(*state)).collect(),
        types: types.iter().map(|kind| i32::from(*kind)).collect(),
        page_size: 3,
        page_token: String::new(),
    }
}

/// The numbers of all that is listed, page by page.
async fn pages(app: &App, caller: &Caller, mut message: ListOperationsRequest) -> Vec<Vec<u32>> {
    let mut pages = Vec::new();
    loop {
        let list = ListOperations::try_from(message.clone()).unwrap();
        let page = list.handle(app, caller).await.unwrap();
        let number = |name: &str| u32::from_str_radix(&name[name.len() - 8..], 16).unwrap();
        let names = page
            .operations
            .iter()
            .map(|operation| number(&operation.name));
        pages.push(names.collect());
        message.page_token = page.next_page_token;
        if message.page_token.is_empty() {
            return pages;
        }
    }
}

#[tokio::test]
async fn pages_follow_each_other_newest_first_and_show_the_own_alone() {
    let app = fixture::app().await;
    for number in 1..=7 {
        record(&app, number, Succeeded, OperationType::Transfer).await;
    }
    let user = fixture::user(1);
    let listed = pages(&app, &user, message(&[], &[])).await;
    assert_eq!(listed, [vec![7, 6, 5], vec![4, 3, 2], vec![1]]);
    for other in [fixture::user(2), fixture::auditor()] {
        assert_eq!(pages(&app, &other, message(&[], &[])).await, [vec![0; 0]]);
    }
}

#[tokio::test]
async fn a_filter_chooses_by_state_and_kind() {
    let app = fixture::app().await;
    let kinds = [OperationType::Transfer, OperationType::CreateAccount];
    for (number, state) in (1..).zip([Accepted, Submitted, Succeeded, Refused]) {
        for (place, kind) in (0..).zip(kinds) {
            record(&app, number + 4 * place, state, kind).await;
        }
    }
    let user = fixture::user(1);
    let all =
        async |states: &[_], types: &[_]| pages(&app, &user, message(states, types)).await.concat();
    assert_eq!(all(&[Refused, Succeeded], &[]).await, [8, 7, 4, 3]);
    assert_eq!(all(&[], &kinds[1..]).await, [8, 7, 6, 5]);
    assert_eq!(all(&[Accepted], &kinds[..1]).await, [1]);
    assert_eq!(all(&[Stalled], &[]).await, [0; 0]);
    assert_eq!(all(&[], &[OperationType::Fold]).await, [0; 0]);

    fixture::first_lane(&app, Some("the chain forked")).await;
    assert_eq!(all(&[Stalled], &[]).await, [6, 5, 2, 1]);
    assert_eq!(all(&[Accepted, Submitted], &[]).await, [0; 0]);
    assert_eq!(all(&[Refused], &[]).await, [8, 4]);
}

#[tokio::test]
async fn a_filter_that_fits_nothing_is_asked_of_so_many_and_no_more() {
    let app = fixture::app().await;
    let tx = app.store.begin().await.unwrap();
    let rows = (1..=4_100).map(|number: u32| {
        let id = Uuid::from_u128(number.into());
        let row = fixture::transfer(id, &fixture::user(1), Succeeded);
        let state = if number == 5 { Refused } else { Succeeded };
        operation::Model {
            created_ms: number.into(),
            state: state.into(),
            ..row
        }
    });
    crate::store::bulk::insert_in(&tx, rows.collect::<Vec<_>>())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let user = fixture::user(1);
    let listed = pages(&app, &user, message(&[Refused], &[])).await;
    assert_eq!(listed, [vec![], vec![], vec![5]]);
}

#[tokio::test]
async fn a_token_of_another_filter_is_refused() {
    let app = fixture::app().await;
    for number in 1..=4 {
        record(&app, number, Succeeded, OperationType::Transfer).await;
    }
    let list = ListOperations::try_from(message(&[], &[])).unwrap();
    let page = list.handle(&app, &fixture::user(1)).await.unwrap();
    let other = ListOperationsRequest {
        page_token: page.next_page_token,
        ..message(&[Succeeded], &[])
    };
    let error = ListOperations::try_from(other).unwrap_err();
    assert_eq!(fixture::violated(error), ["page_token"]);
}

#[test]
fn all_violations_are_told_at_once() {
    let fields = ["states", "types", "page_size", "page_token"];
    for (states, types) in [
        (vec![0], vec![99]),
        (vec![1; 9], vec![1; 33]),
        (vec![6], vec![-1]),
    ] {
        let error = ListOperations::try_from(ListOperationsRequest {
            states,
            types,
            page_size: 201,
            page_token: "forged".to_owned(),
        });
        assert_eq!(fixture::violated(error.unwrap_err()), fields);
    }
}
