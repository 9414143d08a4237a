//! The simulation: API, submitters, ledger and projectors stepped by a seeded
//! scheduler, with crashes between any two steps, lost and doubled answers, two
//! owners of a lane, sleeping partitions, lagging endorsers, clock jumps, poison
//! and a database that falls back. What must hold at the end stands in `check.rs`.
//!
//! `SEEDS` and `FROM` choose the seeds; a failing one is run again by
//! `make soak SEEDS=1 FROM=<seed>`.

mod actors;
mod alone;
mod check;
mod image;
mod world;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use gx_server::fault::{self, Fault};
use world::{Template, World};

use crate::chosen;

/// Seeds of the test command.
const SEEDS: u64 = 1_000;
/// Seeds within which every planted fault must be found.
const SEEDS_PLANTED: u64 = 200;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

/// Runs one seed; `Err` says what did not hold.
async fn run(template: &Template, seed: u64) -> Result<(), String> {
    let mut world = World::new(template, seed).await;
    world.disturbed().await?;
    world.quiet().await?;
    check::everything(&mut world, template).await
}

#[test]
fn every_command_takes_effect_once_whatever_fails() {
    let (from, seeds) = (chosen("FROM", 0), chosen("SEEDS", SEEDS));
    let (next, end) = (AtomicU64::new(from), from + seeds);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| block_on(take(&next, end)));
        }
    });
}

/// Takes one seed after the other, in a world of its own; one that fails is the last
/// for all.
async fn take(next: &AtomicU64, end: u64) {
    let template = Template::new().await;
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return;
        }
        if let Err(fault) = run(&template, seed).await {
            next.store(end, Ordering::Relaxed);
            panic!("{fault}\nrun it again: make soak SEEDS=1 FROM={seed}");
        }
    }
}

fn is_found(planted: Fault) {
    block_on(async {
        let template = Template::new().await;
        fault::plant(Some(planted));
        for seed in 0..SEEDS_PLANTED {
            if let Err(fault) = run(&template, seed).await {
                println!("{planted:?} found with seed {seed}: {fault}");
                fault::plant(None);
                return;
            }
        }
        panic!("{planted:?} was not found within {SEEDS_PLANTED} seeds");
    });
}

#[test]
fn a_checkpoint_written_apart_is_found() {
    is_found(Fault::CheckpointApart);
}

#[test]
fn an_unchecked_chain_cursor_is_found() {
    is_found(Fault::ChainCursorUnchecked);
}

#[test]
fn an_unchecked_formed_cursor_is_found() {
    is_found(Fault::FormedUnchecked);
}

#[test]
fn a_reused_number_is_found() {
    is_found(Fault::NumberReused);
}

#[test]
fn a_reservation_released_twice_is_found() {
    is_found(Fault::ReleasedTwice);
}

#[test]
fn a_skipped_event_is_found() {
    is_found(Fault::EventSkipped);
}

#[test]
fn partitions_dealt_apart_are_found() {
    is_found(Fault::DealtApart);
}
