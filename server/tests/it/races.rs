//! Two submitters, each on its own gateway, race for one lane, and two projectors for
//! one partition. One is stopped beyond its lease, and the other takes over; let go, the
//! first finds out, and every command has one effect.

use gx_proto::gx::operation::v1::OperationState;

use crate::harness::{Database, GX, Gx, block_of};

/// Leases end soon and are looked for often.
const SETTINGS: [(&str, &str); 2] = [("GX_LANES__LEASE_MS", "1000"), ("GX_LANES__POLL_MS", "100")];

#[tokio::test]
async fn a_submitter_that_slept_before_endorsing_is_refused_by_the_chain_s_cursor() {
    sleeper_at("endorsing", "LANE_CURSOR").await;
}

#[tokio::test]
async fn a_submitter_that_slept_before_sending_is_refused_by_the_lane_s_row() {
    sleeper_at("storing", "the lane is another's").await;
}

/// One submitter sleeps at `point` with a command of the lane in its batch; another takes
/// the lane and settles this command and two more. Let go, the first finds out by
/// `words`, and both go on.
async fn sleeper_at(point: &'static str, words: &str) {
    let mut gx = Gx::start_with(Database::PostgresApart, &SETTINGS).await;
    let (sender, receiver) = (gx.person("DE").await, gx.person("DE").await);
    gx.replace("submitter", "TERM", &[("STOP_POINT", point)])
        .await;
    let transfer = || sender.to(&receiver.account, GX, 0);

    let mut sent = vec![sender.sent(transfer()).await];
    gx.said_by("submitter", &format!("stop point {point}"))
        .await;
    gx.halt("submitter").await;
    for _ in 0..2 {
        sent.push(sender.sent(transfer()).await);
    }
    let _other = gx.beside("submitter").await;
    for operation in &sent {
        let settled = sender.client.settled(&operation.name).await;
        assert_eq!(settled.state(), OperationState::Succeeded);
    }

    gx.let_go("submitter").await;
    gx.said_by("submitter", words).await;
    let last = sender.pay(transfer()).await;
    let wallet = sender.wallet(block_of(&last)).await;
    assert_eq!(wallet.balance_qirat, 496 * GX);
    assert_eq!(wallet.reserved_qirat, 0);
    // The grant and four transfers.
    assert_eq!(sender.entries().await.len(), 5);
    let (clean, told) = gx.tool(&["reconcile"]).await;
    assert!(clean, "{told}");
}

#[tokio::test]
async fn a_projector_that_slept_past_its_lease_writes_nothing() {
    let settings = [SETTINGS[0], SETTINGS[1], ("GX_PROJECTOR__PARTITIONS", "1")];
    let mut gx = Gx::start_with(Database::PostgresApart, &settings).await;
    let (sender, receiver) = (gx.person("DE").await, gx.person("DE").await);
    gx.replace("projector", "TERM", &[("STOP_POINT", "applying")])
        .await;
    let transfer = || sender.to(&receiver.account, GX, 0);

    let sent = sender.sent(transfer()).await;
    gx.said_by("projector", "stop point applying").await;
    gx.halt("projector").await;
    let _other = gx.beside("projector").await;
    let settled = sender.client.settled(&sent.name).await;
    assert_eq!(settled.state(), OperationState::Succeeded);

    gx.let_go("projector").await;
    gx.said_by("projector", "the partition is another's").await;
    let last = sender.pay(transfer()).await;
    let wallet = sender.wallet(block_of(&last)).await;
    assert_eq!(wallet.balance_qirat, 498 * GX);
    assert_eq!(wallet.reserved_qirat, 0);
    // The grant and two transfers.
    assert_eq!(sender.entries().await.len(), 3);
    assert_eq!(gx.metric("gx_settled_twice_total").await, 0.0);
    let (clean, told) = gx.tool(&["reconcile"]).await;
    assert!(clean, "{told}");
}
