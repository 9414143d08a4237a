//! Transfers, and how they are refused.

use std::time::Duration;

use futures::TryStreamExt;
use gx_sdk::{Reason, Transfer, operation::OperationState};

use crate::harness::{gx, two_people};

#[tokio::test]
async fn a_transfer_is_settled_or_says_why_not() {
    let (_gx, ann, bee) = two_people().await;
    let pending = ann.gx.wallet().transfer(ann.pays(&bee, gx("100"))).await;
    let done = pending.unwrap().settled().await.unwrap();
    let wallet = bee.gx.wallet().get_at(&bee.account, done.block()).await;
    assert_eq!(wallet.unwrap().balance(), gx("600"));
    let newest = bee.gx.wallet().entries(&bee.account).try_next().await;
    assert_eq!(newest.unwrap().unwrap().delta().to_gx(), "100");

    let pending = ann.gx.wallet().transfer(ann.pays(&bee, gx("5000"))).await;
    let refused = pending.unwrap().settled().await.unwrap_err();
    assert_eq!(refused.reason(), Reason::InsufficientFunds);
    assert!(refused.metadata().contains_key("available_qirat"));
    assert!(refused.operation().is_some());

    let wrong = Transfer::new(&ann.account, "nobody", gx("0"));
    let wrong = ann.gx.wallet().transfer(wrong).await.unwrap_err();
    assert_eq!(wrong.reason(), Reason::InvalidField);
    let fields: Vec<_> = wrong.violations().iter().map(|one| &*one.field).collect();
    assert_eq!(fields, ["receiver", "amount_qirat"]);
    assert_eq!(wrong.to_string().matches("amount_qirat").count(), 1);
    assert!(wrong.request_id().is_some());

    let foreign = ann.gx.wallet().get(&bee.account).await.unwrap_err();
    assert_eq!(foreign.reason(), Reason::NotFound);
}

#[tokio::test]
async fn what_keeps_one_from_knowing_the_outcome_still_tells_the_operation() {
    let (_gx, ann, bee) = two_people().await;
    let pending = ann.gx.wallet().transfer(ann.pays(&bee, gx("1"))).await;
    let pending = pending.unwrap();
    ann.gx.clone().sign_out().await.unwrap();
    let unknown = pending.clone().settled().await.unwrap_err();
    assert_eq!(unknown.reason(), Reason::SessionRevoked);
    let operation = unknown.operation().expect("an operation");
    assert_eq!(operation.name, pending.name());
    assert_ne!(operation.state(), OperationState::Refused);
}

#[tokio::test]
async fn patience_may_be_without_end() {
    let (_gx, ann, bee) = two_people().await;
    let patient = ann.gx.with_deadline(Duration::MAX);
    let pending = patient.wallet().transfer(ann.pays(&bee, gx("1"))).await;
    let settled = pending.unwrap().settled_within(Duration::MAX).await;
    assert_eq!(settled.unwrap().state(), OperationState::Succeeded);
}
