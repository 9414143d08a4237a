//! What a watched wallet promises.

use futures::StreamExt;
use gx_contract::account::AccountId;
use gx_proto::gx::{common::v1::Reason, identity::v1::Role};
use sea_orm::ActiveValue::Set;
use tokio_util::sync::CancellationToken;
use tonic_types::StatusExt;

use super::*;
use crate::{auth::session, fixture};

type Stream = Sent<WatchWalletResponse>;

/// Ann, who watches, Bee, who pays, and what serves them.
struct World {
    api: Api,
    ann: AccountId,
    bee: AccountId,
    caller: Caller,
}

impl World {
    async fn new() -> Self {
        let app = fixture::app().await;
        Self {
            ann: fixture::person(&app, 1, "DE").await,
            bee: fixture::person(&app, 2, "DE").await,
            caller: fixture::signed_in(&app, 1, &[Role::User]).await,
            api: Api::new(app),
        }
    }

    async fn watch(&self, position: &str) -> Result<Stream> {
        let context = fixture::context("/gx.wallet.v1.WalletService/WatchWallet");
        let watch = WatchWallet::try_from(self.message(position))?;
        watch.handle(&self.api, &self.caller, &context).await
    }

    fn message(&self, position: &str) -> WatchWalletRequest {
        WatchWalletRequest {
            account: self.ann.to_string(),
            position: position.to_owned(),
        }
    }

    async fn opened(&self, position: &str) -> Stream {
        let stream = self.watch(position).await;
        stream.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Bee pays Ann in a block, so often.
    async fn pay(&self, block: i64, times: i32) {
        let (ann, bee) = (self.ann.as_str(), self.bee.as_str());
        let postings: Vec<_> = (0..times)
            .map(|place| fixture::posting(block, place, ann, 1, bee))
            .collect();
        fixture::project(&self.api.app, block, &postings).await;
    }
}

async fn next(stream: &mut Stream) -> WatchWalletResponse {
    stream.next().await.unwrap().unwrap()
}

fn names(sent: &WatchWalletResponse) -> Vec<String> {
    sent.entries
        .iter()
        .map(|entry| entry.name.clone())
        .collect()
}

fn balance(sent: &WatchWalletResponse) -> Option<u64> {
    sent.wallet.as_ref().map(|wallet| wallet.balance_qirat)
}

#[tokio::test]
async fn a_stream_begins_with_the_wallet_and_tells_each_change() {
    let world = World::new().await;
    world.pay(1, 2).await;
    let mut stream = world.opened("").await;
    let first = next(&mut stream).await;
    assert_eq!((balance(&first), names(&first)), (Some(2), vec![]));
    assert_eq!((first.position.as_str(), first.as_of_block), ("1", 1));
    assert!(futures::poll!(stream.next()).is_pending());

    let (sent, ()) = tokio::join!(next(&mut stream), world.pay(2, 1));
    assert_eq!(
        (balance(&sent), names(&sent)),
        (Some(3), vec!["entries/2-0-0-0".to_owned()])
    );
    // A move of the read model that changes nothing is no news.
    fixture::apply_all(&world.api.app, 3).await;
    assert!(futures::poll!(stream.next()).is_pending());
    let holds = async {
        fixture::change::<wallet::Entity>(&world.api.app, world.ann.to_string(), |row| {
            row.reserved_qirat = Set(1);
        })
        .await;
        world.api.app.wake.moved();
    };
    let (sent, ()) = tokio::join!(next(&mut stream), holds);
    assert_eq!((balance(&sent), names(&sent)), (Some(3), vec![]));
    assert_eq!(sent.wallet.unwrap().available_qirat, 2);
    assert_eq!(sent.position, "3");
}

#[tokio::test]
async fn entries_that_cancel_each_other_out_are_told() {
    let world = World::new().await;
    world.pay(1, 1).await;
    let mut stream = world.opened("").await;
    next(&mut stream).await;
    assert!(futures::poll!(stream.next()).is_pending());
    let (ann, bee) = (world.ann.as_str(), world.bee.as_str());
    let there_and_back = [
        fixture::posting(2, 0, ann, 5, bee),
        fixture::posting(2, 1, ann, -5, bee),
    ];
    let change = fixture::project(&world.api.app, 2, &there_and_back);
    let (sent, ()) = tokio::join!(next(&mut stream), change);
    assert_eq!((balance(&sent), sent.entries.len()), (Some(1), 2));
}

/// Blocks of many entries are cut into pages, and the stream after any page.
#[tokio::test]
async fn a_stream_that_goes_on_where_it_ended_misses_and_repeats_nothing() {
    let world = World::new().await;
    for (block, times) in [(1, 1), (2, 450), (3, 200), (5, 201)] {
        world.pay(block, times).await;
    }
    let expected: Vec<_> = [(1, 1), (2, 450), (3, 200), (5, 201), (6, 3)]
        .into_iter()
        .flat_map(|(block, times)| {
            (0..times).map(move |place| format!("entries/{block}-0-0-{place}"))
        })
        .collect();
    for every in 1..=4 {
        let (mut seen, mut sum, mut position) = (Vec::new(), 0, "0".to_owned());
        while seen.len() < 852 {
            let mut stream = world.opened(&position).await;
            for _ in 0..every {
                let sent = next(&mut stream).await;
                assert!(sent.entries.len() <= 200);
                sum += sent
                    .entries
                    .iter()
                    .map(|entry| entry.delta_qirat)
                    .sum::<i64>();
                seen.extend(names(&sent));
                position = sent.position.clone();
                if let Some(balance) = balance(&sent) {
                    assert_eq!(balance, sum.unsigned_abs());
                    break;
                }
            }
        }
        if every == 1 {
            world.pay(6, 3).await;
        }
        let mut stream = world.opened(&position).await;
        while seen.len() < expected.len() {
            seen.extend(names(&next(&mut stream).await));
        }
        assert_eq!(seen, expected, "cut after {every}");
    }
}

#[tokio::test]
async fn a_place_to_come_is_waited_for() {
    let world = World::new().await;
    world.pay(1, 1).await;
    let mut stream = world.opened("3").await;
    assert!(futures::poll!(stream.next()).is_pending());
    world.pay(3, 1).await;
    let sent = next(&mut stream).await;
    assert_eq!((balance(&sent), names(&sent)), (Some(2), vec![]));
    let (sent, ()) = tokio::join!(next(&mut stream), world.pay(4, 1));
    assert_eq!(names(&sent), ["entries/4-0-0-0"]);
}

#[tokio::test]
async fn a_quiet_stream_repeats_where_to_go_on() {
    let world = World::new().await;
    world.pay(1, 1).await;
    let context = fixture::context("/gx.wallet.v1.WalletService/WatchWallet");
    let watch = WatchWallet::try_from(world.message("0")).unwrap();
    let watching = watch.open(&world.api, &world.caller, &context).await;
    let step = watching.unwrap().step().await.unwrap();
    let (first, mut watching) = step.unwrap();
    assert_eq!(first.entries.len(), 1);
    watching.quiet_until = Instant::now();
    let (quiet, _) = watching.step().await.unwrap().unwrap();
    assert_eq!((balance(&quiet), names(&quiet)), (None, vec![]));
    assert_eq!(quiet.position, first.position);
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_with_its_connection() {
    let world = World::new().await;
    let mut stream = world.opened("").await;
    next(&mut stream).await;
    assert!(futures::poll!(stream.next()).is_pending());
    fixture::change::<session::Entity>(&world.api.app, world.caller.session, |row| {
        row.revoked_ms = Set(Some(fixture::NOW_MS));
    })
    .await;
    world.api.app.wake.moved();
    assert_eq!(end(stream).await, "SESSION_REVOKED");

    let world = World::new().await;
    let leaving = CancellationToken::new();
    let context = Context {
        leaving: leaving.clone(),
        ..fixture::context("/gx.wallet.v1.WalletService/WatchWallet")
    };
    let watch = WatchWallet::try_from(world.message("")).unwrap();
    let stream = watch.handle(&world.api, &world.caller, &context).await;
    let mut stream = stream.unwrap_or_else(|error| panic!("{error}"));
    next(&mut stream).await;
    leaving.cancel();
    assert_eq!(end(stream).await, "UNAVAILABLE");
}

async fn end(mut stream: Stream) -> String {
    loop {
        match stream.next().await.expect("an end with a status") {
            Ok(_) => {}
            Err(status) => {
                let details = status.get_error_details();
                return details.error_info().unwrap().reason.clone();
            }
        }
    }
}

#[tokio::test]
async fn a_stranger_s_wallet_looks_like_none() {
    let world = World::new().await;
    let stranger = World {
        caller: fixture::signed_in(&world.api.app, 2, &[Role::User]).await,
        ..world
    };
    let refused = stranger.watch("").await.err().unwrap();
    assert_eq!(refused.reason(), Reason::NotFound);
    let overseer = World {
        caller: fixture::signed_in(&stranger.api.app, 9, &[Role::Auditor]).await,
        ..stranger
    };
    next(&mut overseer.opened("").await).await;
}

#[test]
fn all_violations_are_told_at_once() {
    for position in ["-1", "1-2", "entries/1-0-0-0", "99999999999999999999"] {
        let error = WatchWallet::try_from(WatchWalletRequest {
            account: "nobody".to_owned(),
            position: position.to_owned(),
        });
        let violated = fixture::violated(error.unwrap_err());
        assert_eq!(violated, ["account", "position"], "{position}");
    }
}
