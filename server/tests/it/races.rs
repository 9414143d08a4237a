//! Two submitters on one lane: the one that slept past its lease finds that its batch is
//! no longer its own, and every command has one effect.
//!
//! Run by hand, with `--ignored`: the whole process is stopped, now and then in the
//! middle of another transaction of its own, whose locks hold the other one up until
//! the database ends it after a minute.

use gx_proto::gx::operation::v1::OperationState;

use crate::harness::{Database, GX, Gx, Person, block_of};

/// Leases end soon and are looked for often.
const SETTINGS: [(&str, &str); 2] = [("GX_LANES__LEASE_MS", "1000"), ("GX_LANES__POLL_MS", "100")];

#[tokio::test]
#[ignore = "a process stopped inside a transaction holds its locks for a minute"]
async fn a_submitter_that_slept_before_endorsing_is_refused_by_the_chain_s_cursor() {
    sleeper_at("endorsing", "LANE_CURSOR").await;
}

#[tokio::test]
#[ignore = "a process stopped inside a transaction holds its locks for a minute"]
async fn a_submitter_that_slept_before_sending_is_refused_by_the_lane_s_row() {
    sleeper_at("endorsed", "the lane is another's").await;
}

/// One submitter stops itself at `point`; another takes its lane and settles the
/// command. Let go, the first finds out by `words`.
async fn sleeper_at(point: &'static str, words: &str) {
    let mut gx = Gx::start_with(Database::PostgresApart, &SETTINGS).await;
    let (sender, receiver) = (gx.person("DE").await, gx.person("DE").await);
    gx.stop().await;
    gx.restart_with(&[("STOP_POINT", point)]).await;
    let sender = Person {
        client: gx.sign_in(&sender.contact).await,
        ..sender
    };

    let sent = sender.sent(sender.to(&receiver.account, GX, 0)).await;
    gx.said_by("submitter", &format!("stop point {point}"))
        .await;
    let _other = gx.beside("submitter").await;
    let settled = sender.client.settled(&sent.name).await;
    assert_eq!(settled.state(), OperationState::Succeeded);

    gx.signal("submitter", "CONT").await;
    gx.said_by("submitter", words).await;
    let wallet = sender.wallet(block_of(&settled)).await;
    assert_eq!(wallet.balance_qirat, 499 * GX);
    assert_eq!(wallet.reserved_qirat, 0);
    let (clean, told) = gx.tool(&["reconcile"]).await;
    assert!(clean, "{told}");
}
