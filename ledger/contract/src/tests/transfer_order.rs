//! A Transfer that is wrong in every way, mended step by step: each step shows
//! the next reason of the documented order.

use gx_proto::gx::contract::v1::command::Body;
use gx_proto::gx::contract::v1::{
    AccountStatus, AccountType, Command, CommandRefusal as Reason, Transfer,
};

use crate::lane::STAFF_LANE;
use crate::testing::build::{account_in, command, gx, partner};
use crate::testing::world::{World, reason};

/// Everything is wrong: staff's lane, no amount, to itself, a bad id.
fn worst() -> Transfer {
    Transfer {
        sender: "nobody".to_owned(),
        receiver: "nobody".to_owned(),
        amount_qirat: 0,
        max_fee_qirat: u64::MAX,
        reference_digest: vec![1].into(),
    }
}

fn wrap(transfer: &Transfer) -> Command {
    command(1_000, Some(Body::Transfer(transfer.clone())))
}

#[track_caller]
fn expect(world: &mut World, lane: crate::lane::LaneName, transfer: &Transfer, expected: Reason) {
    let batch = world.batch(lane, vec![wrap(transfer)]);
    let event = world.simulate(&batch).expect("the batch runs");
    let outcome = event.outcomes[0].outcome.clone().expect("an outcome");
    assert_eq!(reason(&outcome), Some(expected));
}

#[test]
fn reasons_come_in_the_documented_order() {
    let mut world = World::new();
    let (sender, receiver) = (account_in(0, 0), account_in(0, 1));
    let (nobody, stranger) = (account_in(0, 8), account_in(0, 9));
    let home = partner(0);
    let mut transfer = worst();
    expect(&mut world, STAFF_LANE, &transfer, Reason::Malformed);
    transfer.max_fee_qirat = 0;
    expect(&mut world, STAFF_LANE, &transfer, Reason::Malformed);
    transfer.reference_digest = vec![1; 32].into();
    expect(&mut world, STAFF_LANE, &transfer, Reason::Role);
    expect(&mut world, partner(1), &transfer, Reason::ZeroAmount);
    transfer.amount_qirat = gx(100_000);
    expect(&mut world, partner(1), &transfer, Reason::SelfTransfer);
    transfer.receiver = nobody;
    expect(&mut world, partner(1), &transfer, Reason::AccountId);
    transfer.sender = stranger;
    expect(&mut world, partner(1), &transfer, Reason::Lane);
    expect(&mut world, home, &transfer, Reason::UnknownSender);
    transfer.sender = sender.clone();
    world.set_account(&sender, AccountType::Person, "DE", AccountStatus::Suspended);
    expect(&mut world, home, &transfer, Reason::SenderNotActive);
    world.set_account(&sender, AccountType::Person, "DE", AccountStatus::Active);
    expect(&mut world, home, &transfer, Reason::UnknownReceiver);
    transfer.receiver = receiver.clone();
    world.set_account(&receiver, AccountType::Person, "FR", AccountStatus::Closed);
    expect(&mut world, home, &transfer, Reason::ReceiverNotActive);
    world.set_account(&receiver, AccountType::Person, "FR", AccountStatus::Active);
    expect(&mut world, home, &transfer, Reason::FeeChanged);
    transfer.max_fee_qirat = gx(1_000);
    expect(&mut world, home, &transfer, Reason::InsufficientFunds);
    transfer.amount_qirat = gx(100);
    let batch = world.batch(home, vec![wrap(&transfer)]);
    let event = world.run(&batch).expect("the batch runs");
    assert_eq!(event.outcomes[0].outcome.as_ref().and_then(reason), None);
    assert_eq!(world.total(&receiver), gx(600) as i64);
    assert_eq!(world.total(&sender), (gx(400) - 150_000) as i64);
}
