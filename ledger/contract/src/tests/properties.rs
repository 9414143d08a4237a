//! What holds for any sequence of batches.

use std::cell::LazyCell;

use gx_proto::gx::contract::v1::command_outcome::Outcome;
use gx_proto::gx::contract::v1::done::Fact;
use gx_proto::gx::contract::v1::{
    AccountStatus, AccountType, BatchRefusal, CommandOutcome, CommandRefusal,
};
use proptest::prelude::*;

use super::script::{Naming, People, Round, name_credits, naming, rounds};
use crate::Rejection;
use crate::amount::{MAXIMUM_SUPPLY, Qirat};
use crate::fees::{self, FeeTable};
use crate::testing::build::{account_in, gx, partner, transfer};
use crate::testing::replay::Replay;
use crate::testing::world::{World, reason};

thread_local! {
    static PEOPLE: LazyCell<People> = const { LazyCell::new(People::new) };
}

const KINDS: [AccountType; 6] = [
    AccountType::Person,
    AccountType::Business,
    AccountType::Ngo,
    AccountType::Government,
    AccountType::Treasury,
    AccountType::System,
];

fn commands(round: &Round, number: usize) -> Vec<gx_proto::gx::contract::v1::Command> {
    let first = 10_000 * (number as u64 + 1);
    PEOPLE.with(|people| round.commands(people, first))
}

/// Each round as one batch, with all credits named.
fn batched(script: &[Round]) -> (World, Vec<CommandOutcome>) {
    let mut world = World::new();
    let mut outcomes = Vec::new();
    for (number, round) in script.iter().enumerate() {
        world.time_ms += round.later_ms;
        let mut batch = world.batch(partner(round.lane), commands(round, number));
        batch.credits = world.all_credits(&batch);
        outcomes.extend(world.run(&batch).expect("the batch runs").outcomes);
    }
    (world, outcomes)
}

/// Each command as a batch of its own, with all credits named.
fn one_by_one(script: &[Round]) -> (World, Vec<CommandOutcome>) {
    let mut world = World::new();
    let mut outcomes = Vec::new();
    for (number, round) in script.iter().enumerate() {
        world.time_ms += round.later_ms;
        for command in commands(round, number) {
            let mut batch = world.batch(partner(round.lane), vec![command]);
            batch.credits = world.all_credits(&batch);
            outcomes.extend(world.run(&batch).expect("the batch runs").outcomes);
        }
    }
    (world, outcomes)
}

fn timers(world: &World) -> Vec<(String, i64)> {
    let folded = Replay::of_state(&world.state).folded;
    let rows = folded.into_iter();
    rows.map(|(account, (_, timer))| (account, timer)).collect()
}

fn assert_conserved(world: &World) {
    let state = Replay::of_state(&world.state);
    assert_eq!(Some(state.supply()), MAXIMUM_SUPPLY.to_signed());
    assert_eq!(world.replay, state, "events tell everything");
    for (account, total) in &state.totals {
        assert!(*total >= 0, "{account} owes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn batched_is_one_by_one(script in rounds(3)) {
        let (together, expected) = batched(&script);
        let (single, outcomes) = one_by_one(&script);
        assert_conserved(&together);
        assert_conserved(&single);
        prop_assert_eq!(outcomes, expected);
        prop_assert_eq!(&single.replay.totals, &together.replay.totals);
        prop_assert_eq!(timers(&single), timers(&together));
        for lane in [partner(0), partner(1)] {
            prop_assert_eq!(single.cursor(lane), together.cursor(lane));
        }
    }

    #[test]
    fn wrong_lists_of_credits_neither_make_nor_lose_money(
        script in rounds(3),
        namings in prop::collection::vec(naming(), 3),
    ) {
        let mut world = World::new();
        for (number, (round, naming)) in script.iter().zip(namings).enumerate() {
            let naming: Naming = naming;
            let mut batch = world.batch(partner(round.lane), commands(round, number));
            batch.credits = name_credits(&world, &batch, naming);
            world.run(&batch).expect("the batch runs");
            assert_conserved(&world);
        }
    }

    #[test]
    fn a_batch_sent_twice_or_from_a_wrong_cursor_changes_nothing(
        script in rounds(2),
        skip in 1_u64..9,
    ) {
        let mut world = World::new();
        for (number, round) in script.iter().enumerate() {
            let mut batch = world.batch(partner(round.lane), commands(round, number));
            batch.credits = world.all_credits(&batch);
            world.run(&batch).expect("the batch runs");
            let cursor = world.cursor(partner(round.lane));
            let before = world.state.committed.clone();
            let mut ahead = batch.clone();
            ahead.first_sequence = cursor.number + 1 + skip;
            ahead.previous_digest = cursor.digest.clone();
            let mut forked = ahead.clone();
            forked.first_sequence = cursor.number + 1;
            forked.previous_digest = batch.previous_digest.clone();
            for wrong in [batch, ahead, forked] {
                let Err(Rejection::Refused(refused)) = world.run(&wrong) else {
                    panic!("it ran")
                };
                prop_assert_eq!(refused.reason(), BatchRefusal::LaneCursor);
                prop_assert_eq!(refused.cursor.as_ref(), Some(&cursor));
            }
            prop_assert_eq!(&world.state.committed, &before);
        }
    }

    #[test]
    fn what_is_previewed_is_charged(
        amount in prop_oneof![1..gx(4), 1..gx(400), 1..gx(1_000_000)],
        sender in 0_usize..4,
        receiver in 0_usize..6,
        local: bool,
        rate in 0_u64..=500,
        kind in 0_usize..12,
    ) {
        let mut world = World::new();
        let (from, to) = (account_in(0, 0), account_in(1, 0));
        let (sender, receiver) = (KINDS[sender], KINDS[receiver]);
        let country = if local { "DE" } else { "FR" };
        world.set_account(&from, sender, "DE", AccountStatus::Active);
        world.set_account(&to, receiver, country, AccountStatus::Active);
        world.endow(&from, gx(2_000_000) as i64);
        let changed = fees::parameter_keys().nth(kind).expect("a key");
        world.set_parameter(&changed, rate);
        let table = FeeTable::load(|key| {
            let value = if key == changed { rate } else { crate::params::default(key) };
            Ok::<_, ()>(value)
        })
        .expect("loaded");
        let fee = table.quote(Qirat(amount), (sender, "DE"), (receiver, country)).fee.get();

        if fee > 0 {
            let too_low = world.outcome(partner(0), transfer(&from, &to, amount, fee - 1));
            prop_assert_eq!(reason(&too_low), Some(CommandRefusal::FeeChanged));
        }
        let before = world.total(&from);
        let outcome = world.outcome(partner(0), transfer(&from, &to, amount, fee));
        let Outcome::Done(done) = outcome else { panic!("{outcome:?}") };
        let Some(Fact::Transferred(fact)) = done.fact else { panic!("{:?}", done.fact) };
        prop_assert_eq!(fact.fee_qirat, fee);
        prop_assert_eq!(before - world.total(&from), (amount + fee) as i64);
        prop_assert_eq!(done.postings.iter().map(|row| row.delta_qirat).sum::<i64>(), 0);
    }
}
