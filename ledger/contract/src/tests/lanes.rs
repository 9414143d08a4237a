//! Lanes do not collide, a lane's cursor fences, and a Void takes a number.

use gx_proto::gx::contract::v1::CommandRefusal;
use gx_proto::gx::contract::v1::command_outcome::Outcome;

use crate::keys;
use crate::lane::{self, FIRST_DIGEST, STAFF_LANE, SYSTEM_LANE};
use crate::testing::build::{account_in, command, fold, gx, partner, transfer, void};
use crate::testing::world::{World, reason};

#[test]
fn two_lanes_that_pay_one_receiver_do_not_collide() {
    let mut world = World::new();
    let receiver = account_in(0, 3);
    let mut effects = Vec::new();
    for number in [0, 1] {
        let pay = transfer(&account_in(number, 0), &receiver, gx(10), gx(1));
        let commands = world.commands(vec![pay]);
        let batch = world.batch(partner(number), commands);
        world.simulate(&batch).expect("the batch runs");
        effects.push((world.state.reads.clone(), world.state.written()));
    }
    let [(first_reads, first_writes), (second_reads, second_writes)] = &effects[..] else {
        panic!("two batches")
    };
    assert!(first_writes.is_disjoint(second_writes));
    assert!(first_reads.is_disjoint(second_writes));
    assert!(second_reads.is_disjoint(first_writes));
    assert!(!first_reads.contains(&keys::balance(&receiver)));
}

#[test]
fn a_receiver_s_own_spending_does_not_collide_with_what_it_gets() {
    let mut world = World::new();
    let receiver = account_in(0, 0);
    let pay = transfer(&account_in(1, 0), &receiver, gx(10), gx(1));
    let commands = world.commands(vec![pay]);
    let batch = world.batch(partner(1), commands);
    world.simulate(&batch).expect("the batch runs");
    let (reads, writes) = (world.state.reads.clone(), world.state.written());
    let spend = transfer(&receiver, &account_in(0, 1), gx(10), gx(1));
    let commands = world.commands(vec![spend]);
    let batch = world.batch(partner(0), commands);
    world.simulate(&batch).expect("the batch runs");
    assert!(world.state.reads.is_disjoint(&writes));
    assert!(world.state.written().is_disjoint(&reads));
}

#[test]
fn a_void_goes_anywhere_and_yields_voided() {
    for lane in [partner(0), partner(1), STAFF_LANE, SYSTEM_LANE] {
        let mut world = World::new();
        assert!(
            matches!(world.outcome(lane, void()), Outcome::Voided(_)),
            "{lane}"
        );
    }
}

#[test]
fn the_cursor_counts_and_chains_every_command() {
    let mut world = World::new();
    let before = world.cursor(STAFF_LANE);
    assert_eq!((before.number, &before.digest[..]), (0, &FIRST_DIGEST[..]));
    // A refused and a voided command use their numbers as a done one does.
    let refused = transfer(&account_in(0, 0), &account_in(0, 1), gx(1), gx(1));
    let commands = vec![command(1, Some(refused)), command(2, Some(void()))];
    let batch = world.batch(STAFF_LANE, commands.clone());
    let event = world.run(&batch).expect("the batch runs");
    let digest = commands.iter().fold(FIRST_DIGEST, |digest, command| {
        lane::chain_digest(&digest, &command.id, &command.request_digest)
    });
    let cursor = event.cursor.expect("a cursor");
    assert_eq!((cursor.number, &cursor.digest[..]), (2, &digest[..]));
    assert_eq!(world.cursor(STAFF_LANE), cursor);
    assert_eq!(event.first_sequence, 1);
    assert_eq!(event.previous_digest, before.digest);
    assert_eq!(event.outcomes.len(), 2);
    assert_eq!(event.outcomes[1].id, commands[1].id);
}

#[test]
fn organizations_have_lanes_of_their_own() {
    let mut world = World::new();
    world.submit(partner(0), vec![void()]);
    let ours = world.cursor(partner(0));
    let mut invocation = world.invocation(partner(0));
    invocation.msp_id = "OtherMSP".to_owned();
    let mut batch = world.batch(partner(0), vec![command(7, Some(void()))]);
    batch.first_sequence = 1;
    batch.previous_digest = FIRST_DIGEST.to_vec().into();
    crate::execute(&mut world.state, &invocation, &batch).expect("the batch runs");
    world.state.commit();
    let theirs = keys::lane("OtherMSP", partner(0));
    assert!(world.state.committed.contains_key(&theirs));
    assert_eq!(world.cursor(partner(0)), ours);
}

/// The batch of another lane is refused the debit, and then the account is to it
/// as any other: it gets a credit.
#[test]
fn only_an_account_s_own_lane_holds_its_balance() {
    let mut world = World::new();
    let foreign = account_in(0, 0);
    let bodies = vec![
        transfer(&foreign, &account_in(1, 0), gx(1), gx(1)),
        fold(&foreign, true),
        transfer(&account_in(1, 0), &foreign, gx(1), gx(1)),
    ];
    let event = world.submit(partner(1), bodies);
    let refusals = event
        .outcomes
        .iter()
        .map(|row| row.outcome.as_ref().and_then(reason));
    let wrong_lane = Some(CommandRefusal::Lane);
    assert_eq!(refusals.collect::<Vec<_>>(), [wrong_lane, wrong_lane, None]);
    assert!(event.folded.iter().all(|row| row.account != foreign));
    assert!(
        event
            .credits_opened
            .iter()
            .any(|row| row.account == foreign)
    );
}
