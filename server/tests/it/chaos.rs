//! Everything dies under load, one thing at a time and at random: submitters,
//! projectors, the process that takes transfers, Redis, and once the PostgreSQL that
//! was the primary. Nothing that was accepted is lost or done twice, each account's
//! transfers keep their order, and the read model is what the chain says.
//!
//! `EVENTS` and `FROM` choose how many and which; the test command takes a few.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use futures::future::join_all;
use rand::{RngExt, SeedableRng, rngs::SmallRng};

use crate::{
    chosen,
    harness::{Beside, Database, GX, Gx, Now, Pair, Payer, Redis, Replication},
};

/// Events of the test command.
const EVENTS: u64 = 10;
/// What can die, and how often of ten times.
const ROLES: [&str; 10] = [
    "submitter",
    "submitter",
    "projector",
    "projector",
    "wallet",
    "wallet",
    "identity",
    "beside",
    "beside",
    "redis",
];

/// The system, and the connections that lead to it now.
struct Fleet {
    gx: Gx,
    pair: Pair,
    redis: Option<Redis>,
    beside: Vec<Option<Beside>>,
    now: Now,
}

/// The workers of which there are two.
const TWICE: [&str; 2] = ["submitter", "projector"];

impl Fleet {
    async fn start() -> Self {
        let pair = Pair::start(Replication::Synchronous).await;
        let redis = Redis::start();
        let (database, cache) = (pair.url(), redis.url());
        let settings = [
            ("GX_DATABASE__URL", database.as_str()),
            ("GX_REDIS__URL", cache.as_str()),
            // A worker that is gone for good is followed within this time.
            ("GX_LANES__LEASE_MS", "2000"),
        ];
        let gx = Gx::start_with(Database::PostgresApart, &settings).await;
        let mut beside = Vec::new();
        for role in TWICE {
            beside.push(Some(gx.beside(role).await));
        }
        Self {
            now: Now::new(gx.client()),
            pair,
            redis: Some(redis),
            beside,
            gx,
        }
    }

    async fn kill(&mut self, what: &'static str, which: usize) {
        match what {
            "redis" => {
                let port = self.redis.take().expect("a Redis").port;
                self.redis = Some(Redis::start_with(port, &[]));
            }
            "beside" => {
                drop(self.beside[which].take());
                self.beside[which] = Some(self.gx.beside(TWICE[which]).await);
            }
            "postgres" => self.pair.fail_over().await,
            role => {
                self.gx.replace(role, "KILL", &[]).await;
                self.now.set(self.gx.client());
            }
        }
    }
}

/// Pays one Qirat after the other until it is told to stop; the names of the
/// operations in order.
async fn pay(payer: &Payer, receiver: &str, stop: &AtomicBool) -> Vec<String> {
    let mut names = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let transfer = payer.person.to(receiver, 1, 0);
        names.push(payer.sent(&transfer).await.name);
    }
    names
}

/// Kills one thing after the other, and tells how long the next transfer took to
/// settle.
async fn disturb(mut fleet: Fleet, probe: &Payer, to: &str, stop: &AtomicBool) -> Fleet {
    let (from, events) = (chosen("FROM", 0), chosen("EVENTS", EVENTS));
    let mut random = SmallRng::seed_from_u64(from);
    for event in 0..events {
        let what = match event == events / 2 {
            true => "postgres",
            false => ROLES[random.random_range(0..ROLES.len())],
        };
        let begun = Instant::now();
        fleet.kill(what, random.random_range(0..TWICE.len())).await;
        let sent = probe.sent(&probe.person.to(to, 1, 0)).await;
        probe.settled(&sent.name).await;
        println!("event {event}: {what}, settled after {:?}", begun.elapsed());
    }
    stop.store(true, Ordering::Relaxed);
    fleet
}

#[tokio::test]
async fn whatever_dies_under_load_nothing_is_lost_or_done_twice() {
    let fleet = Fleet::start().await;
    let mut people = Vec::new();
    for _ in 0..5 {
        people.push(fleet.gx.person("DE").await);
    }
    let payers: Vec<_> = people
        .iter()
        .map(|person| Payer::new(person, &fleet.now))
        .collect();
    let receivers: Vec<_> = (0..5)
        .map(|index| &people[(index + 1) % 4].account)
        .collect();
    let stop = AtomicBool::new(false);
    let paying = payers[..4].iter().zip(&receivers);
    let paying = join_all(paying.map(|(payer, receiver)| pay(payer, receiver, &stop)));
    let disturbing = disturb(fleet, &payers[4], receivers[4], &stop);
    let (paid, fleet) = futures::join!(paying, disturbing);

    let mut last_block = 0;
    for (payer, names) in payers.iter().zip(&paid) {
        let mut last = 0;
        for name in names {
            let operation = payer.settled(name).await;
            let metadata = operation.metadata.expect("metadata");
            assert!(metadata.number > last, "{name} is out of order");
            last = metadata.number;
            last_block = last_block.max(metadata.block);
        }
    }
    let probes = chosen("EVENTS", EVENTS);
    for (index, payer) in payers[..4].iter().enumerate() {
        let wallet = payer.over().wallet(last_block).await;
        let got = paid[(index + 3) % 4].len() as u64;
        let probed = if index == 1 { probes } else { 0 };
        let expected = 500 * GX + got + probed - paid[index].len() as u64;
        assert_eq!(wallet.balance_qirat, expected, "of payer {index}");
        assert_eq!(wallet.reserved_qirat, 0);
    }
    let (clean, told) = fleet.gx.tool(&["reconcile"]).await;
    assert!(clean, "{told}");
    let all: usize = paid.iter().map(Vec::len).sum();
    println!("{all} transfers, each once");
}
