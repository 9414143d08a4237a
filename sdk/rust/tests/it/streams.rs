//! Streams whose connections are cut while they are read.

use futures::TryStreamExt;
use gx_sdk::{GxClient, ledger::BlockFilter};

use crate::{
    gateway::Gateway,
    harness::{Person, Way, gx, two_people},
};

#[tokio::test]
async fn watched_wallets_and_blocks_that_are_cut_miss_and_repeat_nothing() {
    let (server, ann, bee) = two_people().await;
    let way = Way::to(server.port).await;
    let over = bee.over(&way).await;
    let cut = async || way.cut();
    misses_and_repeats_nothing(&ann, &bee, &over, 10, cut).await;
}

#[tokio::test]
async fn watched_wallets_and_blocks_survive_the_gateway_s_death() {
    let (server, ann, bee) = two_people().await;
    let mut gateway = Gateway::start(server.port, server.port).await;
    let over = bee.at(gateway.url()).await;
    let die = async || {
        gateway.kill();
        gateway.revive().await;
    };
    misses_and_repeats_nothing(&ann, &bee, &over, 3, die).await;
}

/// Follows a wallet and the ledger over a way that breaks after each of so many payments.
async fn misses_and_repeats_nothing(
    ann: &Person,
    bee: &Person,
    over: &GxClient,
    payments: u64,
    mut breaks: impl AsyncFnMut(),
) {
    let mut wallet = over.wallet().watch(&bee.account, "0");
    let mut blocks = over.ledger().follow(0, BlockFilter::default());
    let (mut entries, mut balance, mut next) = (Vec::new(), gx("0"), 0);
    for round in 1..=payments {
        let pending = ann.gx.wallet().transfer(ann.pays(bee, gx("1"))).await;
        let block = pending
            .expect("taken")
            .settled()
            .await
            .expect("settled")
            .block();
        while balance < gx(&format!("{}", 500 + round)) {
            let change = wallet
                .try_next()
                .await
                .expect("a stream")
                .expect("a change");
            entries.extend(change.entries);
            balance = change.wallet.map_or(balance, |wallet| wallet.balance());
        }
        while next <= block {
            let seen = blocks.try_next().await.expect("a stream");
            assert_eq!(seen.expect("a block").number, next);
            next += 1;
        }
        breaks().await;
    }
    let names: std::collections::BTreeSet<_> = entries.iter().map(|one| &one.name).collect();
    assert_eq!(names.len(), entries.len());
    let sum: i64 = entries.iter().map(|one| one.delta().get()).sum();
    let received = gx(&format!("{}", 500 + payments));
    assert_eq!(u64::try_from(sum), Ok(received.get()));
}

#[tokio::test]
async fn a_watched_operation_shows_each_state_once_and_ends() {
    let (_server, ann, bee) = two_people().await;
    let pending = ann
        .gx
        .wallet()
        .transfer(ann.pays(&bee, gx("1")))
        .await
        .unwrap();
    let states: Vec<_> = pending.watch().try_collect().await.unwrap();
    let states: Vec<_> = states.iter().map(|one| one.state()).collect();
    let mut different = states.clone();
    different.dedup();
    assert_eq!(states, different);
    assert_eq!(
        states.last(),
        Some(&gx_sdk::operation::OperationState::Succeeded)
    );
}
