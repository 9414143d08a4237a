//! The tax timer is judged by a Fold that says so, and by nothing else.

use gx_proto::gx::contract::v1::command_outcome::Outcome;
use gx_proto::gx::contract::v1::done::Fact;

use crate::account::OPERATIONS_FUND;
use crate::lane::SYSTEM_LANE;
use crate::params;
use crate::testing::build::{account_in, fold, gx, partner, transfer};
use crate::testing::world::World;

fn timer(world: &World) -> i64 {
    world.balance(&account_in(0, 0)).tax_timer_start_ms
}

fn judge(world: &mut World) {
    world.submit(partner(0), vec![fold(&account_in(0, 0), true)]);
}

#[test]
fn a_judging_fold_starts_keeps_and_clears_the_timer() {
    let mut world = World::new();
    let started = world.time_ms;
    judge(&mut world);
    assert_eq!(timer(&world), started);
    world.time_ms += 1_000;
    judge(&mut world);
    assert_eq!(timer(&world), started, "it runs already");
    let spend = transfer(&account_in(0, 0), &account_in(0, 1), gx(450), gx(5));
    world.submit(partner(0), vec![spend, fold(&account_in(0, 0), false)]);
    assert_eq!(timer(&world), started, "spending and folding judge nothing");
    judge(&mut world);
    assert_eq!(timer(&world), 0);
}

#[test]
fn the_floor_is_a_parameter_and_inclusive() {
    let mut world = World::new();
    world.set_parameter(params::TAX_FLOOR_QIRAT, gx(500) + 1);
    judge(&mut world);
    assert_eq!(timer(&world), 0);
    world.set_parameter(params::TAX_FLOOR_QIRAT, gx(500));
    judge(&mut world);
    assert_eq!(timer(&world), world.time_ms);
}

#[test]
fn a_judging_fold_counts_the_credits_that_it_folds() {
    let mut world = World::new();
    world.set_parameter(params::TAX_FLOOR_QIRAT, gx(501));
    let pay = transfer(&account_in(1, 0), &account_in(0, 0), gx(1), gx(1));
    world.submit(partner(1), vec![pay]);
    judge(&mut world);
    assert_eq!(timer(&world), world.time_ms);
}

#[test]
fn lane_time_never_goes_back() {
    let mut world = World::new();
    let late = world.time_ms + 5_000;
    world.time_ms = late;
    world.submit(partner(0), vec![fold(&account_in(0, 1), false)]);
    world.time_ms -= 60_000;
    judge(&mut world);
    assert_eq!(timer(&world), late);
    assert_eq!(world.cursor(partner(0)).time_ms, late);
}

#[test]
fn system_accounts_and_treasuries_are_exempt() {
    let mut world = World::new();
    for account in [OPERATIONS_FUND, "TREASURY_DE"] {
        let outcome = world.outcome(SYSTEM_LANE, fold(account, true));
        let Outcome::Done(done) = outcome else {
            panic!("{outcome:?}")
        };
        let Some(Fact::AccountFolded(fact)) = done.fact else {
            panic!("{:?}", done.fact)
        };
        assert!(!fact.judged);
        assert_eq!(world.balance(account).tax_timer_start_ms, 0);
    }
}
