//! A PostgreSQL with a standby: reads from a copy are never older than the caller
//! asks for, and a standby that takes the primary's place loses and repeats nothing
//! that was answered.

use std::time::{Duration, Instant};

use gx_server::store::{DatabaseUrl, Store, is_away};
use tokio::time::{sleep, timeout};

use crate::harness::{Database, GX, Gx, Now, PATIENCE, Pair, Payer, Replication, block_of};

/// How often something is tried again.
const POLL: Duration = Duration::from_millis(20);
/// Transfers before the failover, and as many while it goes on.
const TRANSFERS: usize = 30;

async fn start(pair: &Pair, copy: bool) -> Gx {
    let (url, copied) = (pair.url(), pair.standby_url());
    let mut settings = vec![("GX_DATABASE__URL", url.as_str())];
    if copy {
        settings.push(("GX_DATABASE__READ_URL", copied.as_str()));
    }
    Gx::start_with(Database::Sqlite, &settings).await
}

async fn reads(gx: &Gx, outcome: &str) -> f64 {
    gx.sample(&format!("gx_copy_reads_total{{outcome=\"{outcome}\"}}"))
        .await
}

#[tokio::test]
async fn a_copy_is_read_unless_it_is_behind_or_away() {
    let mut pair = Pair::start(Replication::Asynchronous).await;
    let gx = start(&pair, true).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let paid = ann.pay(ann.to(&bee.account, GX, GX)).await;
    let balance = bee.wallet(block_of(&paid)).await.balance_qirat;
    let caught_up = async {
        while bee.wallet(0).await.balance_qirat < balance {
            sleep(POLL).await;
        }
    };
    timeout(PATIENCE, caught_up)
        .await
        .expect("the copy follows");
    assert!(reads(&gx, "read").await > 0.0);
    pair.hold(true).await;
    let paid = ann.pay(ann.to(&bee.account, GX, GX)).await;
    let (own, any) = (bee.wallet(block_of(&paid)).await, bee.wallet(0).await);
    assert_eq!(own.balance_qirat, balance + GX);
    assert_eq!(any.balance_qirat, balance, "a moment old, and it says so");
    assert!(reads(&gx, "behind").await > 0.0);
    pair.hold(false).await;

    // Waiting for a copy that is gone would cost every read.
    pair.lose_standby().await;
    let begun = Instant::now();
    for _ in 0..20 {
        assert_eq!(bee.wallet(0).await.balance_qirat, balance + GX);
    }
    let tried = reads(&gx, "away").await;
    let most = 2.0 + begun.elapsed().as_secs_f64() / 5.0;
    assert!(
        (1.0..=most).contains(&tried),
        "{tried} of 20 reads tried it"
    );
}

async fn a_standby_takes_the_primary_s_place(replication: Replication) {
    let mut pair = Pair::start(replication).await;
    let gx = start(&pair, false).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let payer = Payer::new(&ann, &Now::new(gx.client()));
    let before = ann.wallet(0).await.balance_qirat;
    if replication == Replication::Asynchronous {
        pair.cut().await;
    }
    let transfers = |_| ann.to(&bee.account, 1, GX);
    let first: Vec<_> = (0..TRANSFERS).map(transfers).collect();
    let more: Vec<_> = (0..TRANSFERS).map(transfers).collect();
    let names = payer.send(&first).await;
    for name in &names {
        payer.settled(name).await;
    }
    let (later, ()) = tokio::join!(payer.send(&more), pair.fail_over());
    // Whatever was lost with the primary, each request is answered by its operation.
    let again = payer.send(&[first, more].concat()).await;
    assert_eq!(again, [names, later].concat());
    let mut blocks = Vec::new();
    for name in &again {
        blocks.push(block_of(&payer.settled(name).await));
    }
    let last = blocks.into_iter().max().expect("a block");
    let wallet = ann.wallet(last).await;
    assert_eq!(wallet.balance_qirat, before - 2 * TRANSFERS as u64);
    assert_eq!(wallet.reserved_qirat, 0);
    let (sound, told) = gx.tool(&["reconcile"]).await;
    assert!(sound, "{told}");
}

#[tokio::test]
async fn a_connection_that_a_name_leads_to_a_standby_is_refused() {
    let pair = Pair::start(Replication::Asynchronous).await;
    let url = DatabaseUrl::Postgres(pair.url().into());
    let store = Store::open(&url).await.expect("a store");
    let held = store.begin().await.expect("the only connection so far");
    pair.mislead();
    let refused = store.begin().await.expect_err("a standby");
    assert!(is_away(&refused), "{refused}");
    held.rollback().await.expect("the first one is good");
}

#[tokio::test]
async fn an_asynchronous_standby_that_missed_the_last_seconds_repeats_nothing() {
    a_standby_takes_the_primary_s_place(Replication::Asynchronous).await;
}

#[tokio::test]
async fn a_synchronous_standby_in_the_primary_s_place_loses_nothing() {
    a_standby_takes_the_primary_s_place(Replication::Synchronous).await;
}
