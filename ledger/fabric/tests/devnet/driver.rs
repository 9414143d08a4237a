//! The orderer's timer, on a clock that stands still until everybody waits.

use std::time::Duration;

use futures::StreamExt;
use gx_fabric::{
    Ledger, LedgerError,
    devnet::{Core, Driver, InProcessLedger},
};
use gx_proto::gx::contract::v1::Domain;
use tokio::time::{Instant, advance};

use crate::{
    harness::{Cursors, options},
    ledger::{batch, ledger, with},
};

const MINUTE: Duration = Duration::from_secs(60);

/// Endorses the first batch of a domain's lane and submits it.
async fn send(ledger: &InProcessLedger, domain: Domain) -> String {
    let endorsed = ledger.endorse(&batch(domain, 1, 1)).await.unwrap();
    ledger.submit(&endorsed.envelope).await.unwrap();
    endorsed.tx_id
}

#[tokio::test(start_paused = true)]
async fn a_block_is_cut_when_its_first_envelope_has_waited_long_enough() {
    let ledger = ledger();
    let _driver = Driver::start(ledger.core().clone());
    let start = Instant::now();
    let one = send(&ledger, Domain::Partner).await;
    tokio::task::yield_now().await;
    advance(Duration::from_millis(60)).await;
    let two = send(&ledger, Domain::Staff).await;
    assert_eq!(ledger.commit_status(&two, MINUTE).await.unwrap().block, 1);
    assert_eq!(ledger.commit_status(&one, MINUTE).await.unwrap().block, 1);
    assert_eq!(start.elapsed().as_millis(), 100);

    let three = send(&ledger, Domain::Sys).await;
    assert_eq!(ledger.commit_status(&three, MINUTE).await.unwrap().block, 2);
    assert_eq!(start.elapsed().as_millis(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_full_block_does_not_wait() {
    let mut options = options(Cursors, 1);
    options.limits.max_message_count = 2;
    let ledger = with(Core::in_memory(options));
    let _driver = Driver::start(ledger.core().clone());
    let start = Instant::now();
    send(&ledger, Domain::Partner).await;
    let two = send(&ledger, Domain::Staff).await;
    let three = send(&ledger, Domain::Sys).await;
    assert_eq!(ledger.commit_status(&two, MINUTE).await.unwrap().block, 1);
    assert_eq!(start.elapsed().as_millis(), 0);
    assert_eq!(ledger.commit_status(&three, MINUTE).await.unwrap().block, 2);
    assert_eq!(start.elapsed().as_millis(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_block_full_of_bytes_does_not_wait() {
    let mut options = options(Cursors, 1);
    options.limits.preferred_max_bytes = 1;
    let ledger = with(Core::in_memory(options));
    let _driver = Driver::start(ledger.core().clone());
    let start = Instant::now();
    let one = send(&ledger, Domain::Partner).await;
    let two = send(&ledger, Domain::Staff).await;
    assert_eq!(ledger.commit_status(&one, MINUTE).await.unwrap().block, 1);
    assert_eq!(ledger.commit_status(&two, MINUTE).await.unwrap().block, 2);
    assert_eq!(start.elapsed().as_millis(), 0);
}

#[tokio::test(start_paused = true)]
async fn shutting_down_commits_what_is_pending_and_ends_what_waits() {
    let ledger = ledger();
    let driver = Driver::start(ledger.core().clone());
    let mut blocks = ledger.blocks(0).await.unwrap();
    let one = send(&ledger, Domain::Partner).await;
    let late = ledger.endorse(&batch(Domain::Staff, 1, 1)).await.unwrap();
    driver.shutdown().await.unwrap();

    assert_eq!(ledger.commit_status(&one, MINUTE).await.unwrap().block, 1);
    let refused = ledger.submit(&late.envelope).await;
    assert!(matches!(refused, Err(LedgerError::Unavailable { .. })));
    let unknown = ledger.commit_status(&late.tx_id, MINUTE).await;
    assert!(matches!(unknown, Err(LedgerError::Unavailable { .. })));
    assert_eq!(blocks.next().await.unwrap().unwrap().number, 0);
    assert_eq!(blocks.next().await.unwrap().unwrap().number, 1);
    assert!(matches!(
        blocks.next().await,
        Some(Err(LedgerError::Unavailable { .. }))
    ));
    assert!(blocks.next().await.is_none());
}

#[tokio::test]
async fn a_driver_on_disk_commits_and_leaves_the_folder_free() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = with(Core::open(options(Cursors, 1), folder.path()).unwrap());
    let driver = Driver::start(ledger.core().clone());
    let one = send(&ledger, Domain::Partner).await;
    assert_eq!(ledger.commit_status(&one, MINUTE).await.unwrap().block, 1);
    driver.shutdown().await.unwrap();
    drop(ledger);
    let again = with(Core::open(options(Cursors, 1), folder.path()).unwrap());
    assert_eq!(
        again
            .commit_status(&one, Duration::ZERO)
            .await
            .unwrap()
            .block,
        1
    );
}
