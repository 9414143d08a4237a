//! Streams of wallets that are cut while people pay.

use gx_proto::gx::{
    operation::v1::OperationState,
    wallet::v1::{Entry, WatchWalletRequest},
};

use crate::harness::{Database, GX, Gx, Person};

/// Transfers that go on meanwhile.
const TRANSFERS: usize = 40;

/// Watches the wallet from its first entry until it has so many, and cuts the stream
/// after every few messages; answers them, and the last balance that was shown.
async fn in_pieces(of: Person, count: usize) -> (Vec<Entry>, u64) {
    let (mut entries, mut balance) = (Vec::new(), 0);
    let mut request = WatchWalletRequest {
        account: of.account.clone(),
        position: "0".to_owned(),
    };
    for piece in (1..4).cycle() {
        let stream = of.client.wallet().watch_wallet(request.clone()).await;
        let mut stream = stream.expect("a stream").into_inner();
        for _ in 0..piece {
            let sent = stream.message().await.expect("a message");
            let sent = sent.expect("no end without a status");
            request.position = sent.position;
            entries.extend(sent.entries);
            balance = sent.wallet.map_or(balance, |wallet| wallet.balance_qirat);
            if entries.len() >= count {
                return (entries, balance);
            }
        }
    }
    unreachable!("pieces never end")
}

async fn a_cut_stream_of_a_wallet_misses_and_repeats_nothing(database: Database) {
    let gx = Gx::start(database).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    // The grant, and what Ann pays.
    let watched = tokio::spawn(in_pieces(bee.clone(), TRANSFERS + 1));
    for _ in 0..TRANSFERS {
        let paid = ann.pay(ann.to(&bee.account, GX / 1_000, 0)).await;
        assert_eq!(paid.state(), OperationState::Succeeded);
    }
    let (seen, balance) = watched.await.expect("watched");
    let mut listed = bee.entries().await;
    listed.reverse();
    assert_eq!(seen, listed);
    let sum: i64 = seen.iter().map(|entry| entry.delta_qirat).sum();
    assert_eq!(balance, sum.unsigned_abs());
}

#[tokio::test]
async fn a_cut_stream_of_a_wallet_misses_and_repeats_nothing_on_sqlite() {
    a_cut_stream_of_a_wallet_misses_and_repeats_nothing(Database::Sqlite).await;
}

#[tokio::test]
async fn a_cut_stream_of_a_wallet_misses_and_repeats_nothing_on_six_processes() {
    a_cut_stream_of_a_wallet_misses_and_repeats_nothing(Database::PostgresApart).await;
}
