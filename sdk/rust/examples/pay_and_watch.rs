//! `pay_and_watch <url> <contact> <password> <receiver>`: pays a little again and again and
//! watches the wallet meanwhile, until the standard input ends. Then it tells as JSON how
//! many payments there were, what failed, and what the watch missed or repeated, which is
//! nothing, whatever the servers did in the meantime.

use std::{
    collections::HashSet,
    io::{Read, stdin},
    time::Duration,
};

use futures::StreamExt;
use gx_sdk::{Error, GxClient, Qirat, Transfer, wallet::WatchWalletResponse};
use serde_json::json;
use tokio::{select, sync::oneshot, task::spawn_blocking, time::timeout};

/// How long the last payments may take to be seen.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [url, contact, password, receiver] = std::array::from_fn(|n| arg(n + 1));
    let gx = GxClient::connect(url).await?;
    let gx = gx.sign_in(contact, password).await?;
    let account = gx.identity().me().await?.account;

    let mut changes = gx.wallet().watch(&account, "");
    let mut seen = Seen::default();
    seen.take(changes.next().await.ok_or("the watch ended")??);

    let (stop, stopped) = oneshot::channel();
    let paying = tokio::spawn(pay_until(gx.clone(), account, receiver, stopped));
    let input = spawn_blocking(|| stdin().read_to_end(&mut Vec::new()));
    tokio::pin!(input);
    println!("paying");
    loop {
        select! {
            change = changes.next() => seen.take(change.ok_or("the watch ended")??),
            _ = &mut input => break,
        }
    }
    drop(stop);
    let (paid, failed) = paying.await?;
    let all = async {
        while !paid.is_subset(&seen.operations) {
            seen.take(changes.next().await.ok_or("the watch ended")??);
        }
        Ok::<(), Box<dyn std::error::Error>>(())
    };
    timeout(PATIENCE, all).await??;
    let told = json!({"paid": paid.len(), "failed": failed, "wrong": seen.wrong});
    println!("{told}");
    Ok(())
}

/// Pays until it is told to stop; the operations, and what failed.
async fn pay_until(
    gx: GxClient,
    account: String,
    receiver: String,
    mut stopped: oneshot::Receiver<()>,
) -> (HashSet<String>, Vec<String>) {
    let (mut paid, mut failed) = (HashSet::new(), Vec::new());
    while stopped.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
        match pay(&gx, &account, &receiver).await {
            Ok(operation) => drop(paid.insert(operation)),
            Err(error) => failed.push(format!("{error:?}")),
        }
    }
    (paid, failed)
}

/// One payment, waited for, and a look at what is left; its operation.
async fn pay(gx: &GxClient, account: &str, receiver: &str) -> Result<String, Error> {
    let transfer = Transfer::new(account, receiver, Qirat::new(1_000));
    let quote = gx.wallet().quote(&transfer).await?;
    let pending = gx.wallet().transfer(transfer.max_fee(quote.fee())).await?;
    let done = pending.settled().await?;
    gx.wallet().get_at(account, done.block()).await?;
    gx.identity().me().await?;
    Ok(done.name)
}

/// What the watch brought.
#[derive(Default)]
struct Seen {
    entries: HashSet<String>,
    operations: HashSet<String>,
    /// The balance that was told last, and what changed since.
    balance: Option<u64>,
    since: i64,
    wrong: Vec<String>,
}

impl Seen {
    /// No entry comes twice, and each balance is the last one with the entries since.
    fn take(&mut self, change: WatchWalletResponse) {
        for entry in change.entries {
            if !self.entries.insert(entry.name.clone()) {
                self.wrong.push(format!("{} came twice", entry.name));
            }
            self.operations.insert(entry.operation);
            self.since += entry.delta_qirat;
        }
        let Some(wallet) = change.wallet else { return };
        let told = wallet.balance_qirat;
        let wanted = self
            .balance
            .map(|last| last.saturating_add_signed(self.since));
        if wanted.is_some_and(|wanted| wanted != told) {
            self.wrong.push(format!("{told} in place of {wanted:?}"));
        }
        (self.balance, self.since) = (Some(told), 0);
    }
}

fn arg(n: usize) -> String {
    std::env::args()
        .nth(n)
        .expect("url contact password receiver")
}
