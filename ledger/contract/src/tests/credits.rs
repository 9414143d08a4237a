//! Credits: written without a look, named by the batch, folded when needed.

use gx_proto::gx::contract::v1::{AccountCredits, CommandRefusal};

use crate::account::{GOVT_GENESIS_POOL, OPERATIONS_FUND, USER_GENESIS_POOL};
use crate::keys;
use crate::lane::{self, SYSTEM_LANE};
use crate::testing::build::{
    LANES, MSP, account_in, create, credit_key, fold, gx, partner, transfer, void,
};
use crate::testing::replay::Replay;
use crate::testing::world::{World, reason};

/// A world in which the first account has 500 GX folded and 100 GX in a credit.
fn with_credit() -> World {
    let mut world = World::new();
    let pay = transfer(&account_in(1, 0), &account_in(0, 0), gx(100), gx(1));
    world.submit(partner(1), vec![pay]);
    world
}

#[test]
fn a_credit_stays_while_the_balance_covers() {
    let mut world = with_credit();
    let pay = transfer(&account_in(0, 0), &account_in(0, 1), gx(400), gx(1));
    let event = world.submit(partner(0), vec![pay]);
    assert!(event.credits_folded.is_empty());
    assert_eq!(world.open_credits(&account_in(0, 0)).len(), 1);
}

#[test]
fn a_credit_is_folded_and_deleted_where_it_is_needed() {
    let mut world = with_credit();
    let pay = transfer(&account_in(0, 0), &account_in(0, 1), gx(550), gx(2));
    let event = world.submit(partner(0), vec![pay]);
    assert_eq!(event.outcomes[0].outcome.as_ref().and_then(reason), None);
    assert_eq!(event.credits_folded.len(), 1);
    assert!(world.open_credits(&account_in(0, 0)).is_empty());
    assert_eq!(world.replay, Replay::of_state(&world.state));
}

#[test]
fn an_unnamed_credit_does_not_count() {
    let mut world = with_credit();
    let pay = transfer(&account_in(0, 0), &account_in(0, 1), gx(550), gx(2));
    let commands = world.commands(vec![pay]);
    let batch = world.batch(partner(0), commands);
    let event = world.run(&batch).expect("the batch runs");
    let refused = event.outcomes[0].outcome.as_ref().and_then(reason);
    assert!(refused.is_some());
    assert_eq!(world.total(&account_in(0, 0)), gx(600) as i64);
}

#[test]
fn a_credit_named_twice_counts_once() {
    let mut world = with_credit();
    let commands = world.commands(vec![fold(&account_in(0, 0), false)]);
    let mut batch = world.batch(partner(0), commands);
    let name = world.open_credits(&account_in(0, 0))[0].clone();
    batch.credits = vec![AccountCredits {
        account: account_in(0, 0),
        credits: vec![name.clone(), name, credit_key(partner(1), 999)],
    }];
    let event = world.run(&batch).expect("the batch runs");
    assert_eq!(event.credits_folded.len(), 1);
    assert_eq!(
        world.balance(&account_in(0, 0)).folded_qirat,
        gx(600) as i64
    );
    assert_eq!(world.replay, Replay::of_state(&world.state));
}

#[test]
fn credits_of_an_account_that_the_batch_does_not_touch_are_not_read() {
    let mut world = with_credit();
    let commands = world.commands(vec![void()]);
    let mut batch = world.batch(partner(0), commands);
    let account = account_in(0, 0);
    let credits = world.open_credits(&account);
    batch.credits = vec![AccountCredits { account, credits }];
    world.simulate(&batch).expect("the batch runs");
    assert!(
        world
            .state
            .reads
            .iter()
            .all(|key| !key.starts_with("delta/"))
    );
}

#[test]
fn a_batch_gathers_its_credits_into_one_an_account() {
    let mut world = World::new();
    let receiver = account_in(1, 0);
    let bodies = (0..3).map(|place| transfer(&account_in(0, place), &receiver, gx(10), gx(1)));
    let event = world.submit(partner(0), bodies.collect());
    let opened: Vec<_> = event
        .credits_opened
        .iter()
        .map(|row| row.account.as_str())
        .collect();
    assert_eq!(opened, [receiver.as_str(), OPERATIONS_FUND]);
    assert_eq!(event.credits_opened[0].delta_qirat, gx(30) as i64);
}

#[test]
fn a_credit_to_a_held_account_goes_straight_into_its_balance() {
    let mut world = World::new();
    let (first, second) = (account_in(0, 0), account_in(0, 1));
    let bodies = vec![
        transfer(&first, &second, gx(490), gx(2)),
        transfer(&second, &first, gx(900), gx(9)),
    ];
    let event = world.submit(partner(0), bodies);
    assert!(
        event
            .outcomes
            .iter()
            .all(|row| row.outcome.as_ref().and_then(reason).is_none())
    );
    assert_eq!(event.credits_opened.len(), 1, "the fee alone");
    assert!(world.open_credits(&first).is_empty());
}

#[test]
fn pools_are_folded_in_the_system_s_lane() {
    let mut world = with_credit();
    let before = world.total(OPERATIONS_FUND);
    world.submit(SYSTEM_LANE, vec![fold(OPERATIONS_FUND, false)]);
    assert!(world.open_credits(OPERATIONS_FUND).is_empty());
    assert_eq!(world.balance(OPERATIONS_FUND).folded_qirat, before);
}

#[test]
fn a_batch_reads_in_two_goes_and_writes_each_key_once() {
    let mut world = with_credit();
    let bodies = vec![
        transfer(&account_in(0, 0), &account_in(0, 1), gx(550), gx(2)),
        transfer(&account_in(0, 1), &account_in(1, 1), gx(1), gx(1)),
        fold(&account_in(0, 2), true),
    ];
    let commands = world.commands(bodies);
    let mut batch = world.batch(partner(0), commands);
    batch.credits = world.all_credits(&batch);
    world.simulate(&batch).expect("the batch runs");
    assert_eq!(world.state.prefetches.len(), 2);
    assert_eq!(world.state.single_reads, 0);
    assert_eq!(world.state.written().len(), world.state.writes.len());
    let credit = keys::credit(OPERATIONS_FUND, MSP, partner(0), batch.first_sequence);
    assert!(world.state.written().contains(&credit));
    assert!(
        !world.state.reads.contains(&credit),
        "a credit is written blind"
    );
}

#[test]
fn a_pool_that_pays_as_much_as_it_gets_leaves_no_credit() {
    let mut world = World::new();
    let home = lane::of_country("DE", LANES);
    let bodies = vec![
        transfer(&account_in(home.number, 0), USER_GENESIS_POOL, gx(500), 0),
        create(&account_in(0, 9), "DE", true),
    ];
    let event = world.submit(home, bodies);
    let opened = event.credits_opened.iter().map(|row| row.account.as_str());
    assert_eq!(
        opened.collect::<Vec<_>>(),
        [GOVT_GENESIS_POOL, "TREASURY_DE"]
    );
    assert_eq!(world.replay, Replay::of_state(&world.state));
}

#[test]
fn everything_may_be_spent_and_not_a_qirat_more() {
    // 10 basis points of 499,500,500 Qirat are 499,500: together 500 GX.
    let mut world = World::new();
    let (from, to) = (account_in(0, 1), account_in(0, 2));
    let too_much = world.outcome(partner(0), transfer(&from, &to, 499_500_501, gx(1)));
    assert_eq!(reason(&too_much), Some(CommandRefusal::InsufficientFunds));
    world.submit(partner(0), vec![transfer(&from, &to, 499_500_500, gx(1))]);
    assert_eq!(world.total(&from), 0);
}
