//! Bootstrap, countries and grants.

use gx_proto::gx::contract::v1::command_outcome::Outcome;
use gx_proto::gx::contract::v1::done::Fact;
use gx_proto::gx::contract::v1::{AccountCreated, AccountStatus, Done};

use crate::account::{GOVT_GENESIS_POOL, POOLS, USER_GENESIS_POOL};
use crate::amount::MAXIMUM_SUPPLY;
use crate::countries;
use crate::genesis::PHASES;
use crate::keys;
use crate::lane::{self, SYSTEM_LANE};
use crate::params::PARAMETERS;
use crate::testing::build::{LANES, account_in, bootstrap, create, gx, load_countries};
use crate::testing::replay::Replay;
use crate::testing::world::{SHARES, World};

fn supply() -> i64 {
    MAXIMUM_SUPPLY.to_signed().expect("fits")
}

fn done(outcome: Outcome) -> Done {
    match outcome {
        Outcome::Done(done) => done,
        other => panic!("{other:?}"),
    }
}

fn created(done: &Done) -> &AccountCreated {
    match &done.fact {
        Some(Fact::AccountCreated(created)) => created,
        other => panic!("{other:?}"),
    }
}

#[test]
fn bootstrap_makes_the_whole_supply() {
    let mut world = World::empty();
    let done = done(world.outcome(SYSTEM_LANE, bootstrap(16)));
    let sum: i64 = done
        .postings
        .iter()
        .map(|posting| posting.delta_qirat)
        .sum();
    assert_eq!(sum, supply());
    assert_eq!(world.replay.supply(), supply());
    assert_eq!(world.replay, Replay::of_state(&world.state));
    for pool in POOLS {
        assert_eq!(
            world.balance(pool.name).folded_qirat,
            pool.supply.get() as i64
        );
    }
    for parameter in PARAMETERS {
        let key = keys::parameter(parameter.key);
        assert!(world.state.committed.contains_key(&key), "{key}");
    }
}

#[test]
fn real_countries_load_with_their_treasuries() {
    let mut world = World::empty();
    let shares = countries::shares();
    world.submit(SYSTEM_LANE, vec![bootstrap(16), load_countries(&shares)]);
    for country in countries::ALL {
        let id = crate::account::treasury_of(country.code);
        let treasury = world.balance(&id).account.expect("an account");
        assert_eq!(treasury.status(), AccountStatus::Locked);
        assert_eq!(treasury.country, country.code);
        assert!(
            world
                .state
                .committed
                .contains_key(&keys::country(country.code))
        );
    }
    assert_eq!(world.replay, Replay::of_state(&world.state));
}

#[test]
fn a_person_gets_a_grant_and_the_treasury_its_share() {
    let mut world = World::without_people();
    let account = account_in(0, 0);
    let lane = lane::of_country("DE", LANES);
    let done = done(world.outcome(lane, create(&account, "DE", true)));
    assert_eq!(created(&done).phase, 1);
    assert_eq!(created(&done).grant_qirat, gx(500));
    assert_eq!(
        done.postings.iter().map(|row| row.delta_qirat).sum::<i64>(),
        0
    );
    assert_eq!(world.balance(&account).folded_qirat, gx(500) as i64);
    assert_eq!(world.total("TREASURY_DE"), gx(50) as i64);
    // Pools and treasuries only collect credits in users' traffic.
    assert_eq!(world.balance("TREASURY_DE").folded_qirat, 0);
    assert_eq!(world.open_credits(USER_GENESIS_POOL).len(), 1);
    assert_eq!(world.open_credits(GOVT_GENESIS_POOL).len(), 1);
}

#[test]
fn who_is_not_eligible_gets_an_account_and_nothing_else() {
    let mut world = World::without_people();
    let lane = lane::of_country("DE", LANES);
    let done = done(world.outcome(lane, create(&account_in(0, 0), "DE", false)));
    assert_eq!((created(&done).phase, created(&done).grant_qirat), (0, 0));
    assert!(done.postings.is_empty());
    assert_eq!(world.total("TREASURY_DE"), 0);
}

/// `VA` has 1, 2, 3, 4, 15 or 16, 24 or 25 slots; afterwards there is nothing.
#[test]
fn a_country_walks_its_own_phases() {
    let mut world = World::without_people();
    let slots = crate::genesis::slots(&SHARES)[2].1;
    let lane = lane::of_country("VA", LANES);
    let people: u64 = slots.iter().sum();
    let mut phases = Vec::new();
    for place in 0..people as usize + 2 {
        let done = done(world.outcome(lane, create(&account_in(0, place), "VA", true)));
        phases.push(created(&done).phase);
        let grant = match created(&done).phase {
            0 => 0,
            phase => PHASES[phase as usize - 1].grant.get(),
        };
        assert_eq!(created(&done).grant_qirat, grant);
    }
    for (phase, slots) in (1..).zip(slots) {
        let taken = phases.iter().filter(|taken| **taken == phase).count();
        assert_eq!(taken as u64, slots, "phase {phase}");
    }
    assert_eq!(phases[people as usize..], [0, 0]);
    assert_eq!(world.replay.supply(), supply());
    assert_eq!(world.replay, Replay::of_state(&world.state));
}

#[test]
fn one_batch_may_make_many_people_of_one_country() {
    let mut world = World::without_people();
    let lane = lane::of_country("VA", LANES);
    let bodies = (0..3).map(|place| create(&account_in(0, place), "VA", true));
    let event = world.submit(lane, bodies.collect());
    assert_eq!(event.credits_opened.len(), 3, "two pools and the treasury");
    assert_eq!(world.total("TREASURY_VA"), gx(150) as i64);
    assert_eq!(world.total(&account_in(0, 0)), gx(500) as i64);
    assert_eq!(world.total(&account_in(0, 1)), gx(400) as i64);
}
