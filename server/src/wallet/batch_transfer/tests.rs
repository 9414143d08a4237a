//! A batch is its transfers, each by itself.

use gx_proto::gx::{
    common::v1::Reason,
    operation::v1::{Operation, operation},
};
use prost::Message;
use sea_orm::ActiveValue::Set;
use tonic_types::pb::ErrorInfo;
use uuid::Uuid;

use super::*;
use crate::{fixture, outbox::entity::control, wallet::transfer::Transfer};

const METHOD: &str = "/gx.wallet.v1.WalletService/BatchTransfer";

fn transfer(number: u128, amount_qirat: u64) -> BatchedTransfer {
    BatchedTransfer {
        request_id: Uuid::from_u128(number).to_string(),
        receiver: fixture::account(2).to_string(),
        amount_qirat,
        max_fee_qirat: 5,
        reference: "wages".to_owned(),
    }
}

fn message(transfers: Vec<BatchedTransfer>) -> BatchTransferRequest {
    BatchTransferRequest {
        account: fixture::account(1).to_string(),
        transfers,
    }
}

/// What each was answered: its operation's state, or a reason.
async fn told(app: &App, transfers: Vec<BatchedTransfer>) -> Vec<String> {
    let results = send(app, &fixture::user(1), message(transfers)).await;
    results.unwrap().into_iter().map(word).collect()
}

async fn send(
    app: &App,
    caller: &Caller,
    message: BatchTransferRequest,
) -> Result<Vec<batched_transfer_result::Result>> {
    let batch = BatchTransfer::try_from(message)?;
    let context = fixture::context(METHOD);
    let answer = batch.handle(app, caller, &context).await?;
    let results = answer.results.into_iter();
    Ok(results.map(|one| one.result.unwrap()).collect())
}

fn word(result: batched_transfer_result::Result) -> String {
    let refused = match result {
        batched_transfer_result::Result::Error(status) => status,
        batched_transfer_result::Result::Operation(Operation {
            result: Some(operation::Result::Error(status)),
            ..
        }) => status,
        batched_transfer_result::Result::Operation(operation) => {
            return operation.state().as_str_name().to_owned();
        }
    };
    let mut details = refused.details.iter();
    let info = details.find(|detail| detail.type_url.ends_with("google.rpc.ErrorInfo"));
    ErrorInfo::decode(&*info.unwrap().value).unwrap().reason
}

fn violated(transfers: Vec<BatchedTransfer>) -> Vec<String> {
    let read = BatchTransfer::try_from(message(transfers));
    read.map_or_else(fixture::violated, |_| Vec::new())
}

async fn world(balance: i64) -> App {
    let app = fixture::app().await;
    let ann = fixture::person(&app, 1, "DE").await;
    fixture::post(&app, &[fixture::posting(1, 0, ann.as_str(), balance, "")]).await;
    app
}

const ACCEPTED: &str = "OPERATION_STATE_ACCEPTED";

#[test]
fn every_bad_field_is_named_by_its_place() {
    let mut bad = vec![transfer(1, 1); 3];
    bad[0].reference = "two\nlines".to_owned();
    bad[1].amount_qirat = 0;
    bad[2] = BatchedTransfer::default();
    let fields = [
        "transfers[0].reference",
        "transfers[1].amount_qirat",
        "transfers[2].request_id",
        "transfers[2].receiver",
        "transfers[2].amount_qirat",
    ];
    assert_eq!(violated(bad), fields);
    let error = BatchTransfer::try_from(BatchTransferRequest::default()).unwrap_err();
    assert_eq!(fixture::violated(error), ["account", "transfers"]);
}

#[test]
fn a_batch_has_one_to_five_hundred_transfers() {
    let of = |count| violated((0..count).map(|number| transfer(number, 1)).collect());
    assert_eq!(of(0), ["transfers"]);
    assert!(of(1).is_empty());
    assert!(of(500).is_empty());
    assert_eq!(of(501), ["transfers"]);
}

#[test]
fn one_request_id_names_one_transfer() {
    assert!(violated(vec![transfer(1, 1), transfer(1, 1)]).is_empty());
    let mut spelled = transfer(1, 2);
    spelled.request_id = spelled.request_id.replace('-', "");
    let batch = vec![transfer(1, 1), transfer(2, 1), spelled];
    assert_eq!(violated(batch), ["transfers[2].request_id"]);
}

#[test]
fn what_is_wrong_with_very_much_is_told_in_a_status_that_travels() {
    let error = BatchTransfer::try_from(message(vec![BatchedTransfer::default(); 500]));
    let error = error.unwrap_err();
    let status = tonic::Status::from(error);
    let mut headers = http::HeaderMap::new();
    status.add_header(&mut headers).unwrap();
    let bytes: usize = headers.values().map(|value| value.len()).sum();
    assert!(bytes < 8_000, "{bytes} bytes");
    let details = tonic_types::StatusExt::get_error_details(&status);
    assert_eq!(details.bad_request().unwrap().field_violations.len(), 24);
    assert_eq!(details.error_info().unwrap().metadata["violations"], "1500");
}

#[test]
fn the_largest_batch_fits_into_its_message() {
    let largest = BatchedTransfer {
        request_id: Uuid::max().urn().to_string(),
        receiver: "SYSTEM_USER_GENESIS_POOL".to_owned(),
        amount_qirat: u64::MAX,
        max_fee_qirat: u64::MAX,
        reference: "\u{10ffff}".repeat(140),
    };
    let bytes = message(vec![largest; TRANSFERS_MAX]).encoded_len();
    let rule = crate::auth::policy::find(METHOD).unwrap();
    assert!(bytes <= rule.message_bytes().unwrap(), "{bytes}");
}

#[tokio::test]
async fn each_is_accepted_or_refused_by_itself_and_answered_in_order() {
    let app = world(300).await;
    let amounts = [100, 300, 100, 200, 70].into_iter().zip(1..);
    let transfers = amounts.map(|(amount, number)| transfer(number, amount));
    let short = "INSUFFICIENT_FUNDS";
    let expected = [ACCEPTED, short, ACCEPTED, short, ACCEPTED];
    let transfers: Vec<_> = transfers.collect();
    assert_eq!(told(&app, transfers.clone()).await, expected);
    // Again, with one changed and one that is there for the first time.
    let mut again = transfers;
    again[2].amount_qirat = 1;
    again.push(transfer(6, 1));
    let expected = [
        ACCEPTED,
        short,
        "REQUEST_ID_REUSED",
        short,
        ACCEPTED,
        ACCEPTED,
    ];
    assert_eq!(told(&app, again).await, expected);
}

#[tokio::test]
async fn a_transfer_of_a_batch_is_the_one_that_is_sent_alone() {
    let app = world(1_000).await;
    let batch = message(vec![transfer(1, 10), transfer(2, 10), transfer(1, 10)]);
    let first = send(&app, &fixture::user(1), batch.clone()).await.unwrap();
    assert_eq!(first[0], first[2]);
    assert_ne!(first[0], first[1]);
    let alone = Transfer::try_from(alone(&batch.account, transfer(2, 10))).unwrap();
    let context = fixture::context("/gx.wallet.v1.WalletService/Transfer");
    let alone = alone.handle(&app, &fixture::user(1), &context).await;
    let alone = batched_transfer_result::Result::Operation(alone.unwrap());
    assert_eq!(alone, first[1]);
    let again = send(&app, &fixture::user(1), batch).await.unwrap();
    assert_eq!(again, first);
}

#[tokio::test]
async fn while_the_database_catches_up_what_is_known_is_answered_and_the_rest_waits() {
    let app = world(1_000).await;
    assert_eq!(told(&app, vec![transfer(1, 10)]).await, [ACCEPTED]);
    fixture::change::<control::Entity>(&app, 1, |row| row.mark = Set(1)).await;
    let both = vec![transfer(1, 10), transfer(2, 10)];
    assert_eq!(told(&app, both.clone()).await, [ACCEPTED, "CATCHING_UP"]);
    fixture::change::<control::Entity>(&app, 1, |row| row.mark_cleared = Set(1)).await;
    assert_eq!(told(&app, both).await, [ACCEPTED, ACCEPTED]);
}

#[tokio::test]
async fn what_is_not_taken_stands_in_the_audit_log() {
    let mut app = world(1_000).await;
    let (trail, writer) = audit::trail();
    app.trail = trail;
    assert_eq!(told(&app, vec![transfer(1, 10)]).await, [ACCEPTED]);
    told(&app, vec![transfer(1, 11)]).await;
    let store = app.store.clone();
    // A trail that nobody has ends its writer.
    drop(app);
    writer.run(store.clone(), Default::default()).await;
    let lines = audit::tests::lines(&store).await;
    let lines: Vec<_> = lines
        .iter()
        .map(|line| (line.action.as_str(), line.outcome.as_str()))
        .collect();
    assert_eq!(lines, [(METHOD, "OK"), (METHOD, "REQUEST_ID_REUSED")]);
}

#[tokio::test]
async fn nobody_sends_from_a_stranger_s_wallet() {
    let app = world(1_000).await;
    for caller in [fixture::user(2), fixture::auditor()] {
        let refused = send(&app, &caller, message(vec![transfer(1, 1)])).await;
        assert_eq!(refused.unwrap_err().reason(), Reason::NotFound);
    }
}
