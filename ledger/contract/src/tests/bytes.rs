//! Bytes that are no batch, or almost one: nothing may panic, and whatever runs
//! keeps the supply.

use gx_proto::gx::contract::v1::{AccountCredits, Batch, Query};
use proptest::prelude::*;
use prost::Message;

use crate::amount::MAXIMUM_SUPPLY;
use crate::execute;
use crate::query;
use crate::state::ChainRole;
use crate::testing::build::{
    account_in, bootstrap, command, create, credit_key, fold, gx, load_countries, partner,
    transfer, void,
};
use crate::testing::replay::Replay;
use crate::testing::world::{SHARES, World};

thread_local! {
    static VALID: Vec<u8> = valid();
}

/// A batch with every command, encoded.
fn valid() -> Vec<u8> {
    let (first, second) = (account_in(0, 0), account_in(0, 1));
    let bodies = [
        transfer(&first, &second, gx(10), gx(1)),
        fold(&first, true),
        create(&account_in(0, 9), "DE", true),
        bootstrap(4),
        load_countries(&SHARES),
        void(),
    ];
    let commands = (1..)
        .zip(bodies)
        .map(|(number, body)| command(number, Some(body)));
    let mut batch = World::new().batch(partner(0), commands.collect());
    batch.credits.push(AccountCredits {
        account: first,
        credits: vec![credit_key(partner(1), 1)],
    });
    batch.encode_to_vec()
}

fn run(batch: &Batch) {
    let mut world = World::new();
    for role in [ChainRole::Partner, ChainRole::Admin, ChainRole::SuperAdmin] {
        let mut invocation = world.invocation(partner(0));
        invocation.role = Some(role);
        if execute(&mut world.state, &invocation, batch).is_ok() {
            world.state.commit();
        }
    }
    let supply = Replay::of_state(&world.state).supply();
    assert_eq!(Some(supply), MAXIMUM_SUPPLY.to_signed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn spoilt_batches_do_no_harm(spoils in prop::collection::vec((any::<u16>(), any::<u8>()), 1..4)) {
        let mut bytes = VALID.with(Clone::clone);
        for (place, value) in spoils {
            let place = usize::from(place) % bytes.len();
            bytes[place] = value;
        }
        if let Ok(batch) = Batch::decode(bytes.as_slice()) {
            run(&batch);
        }
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(batch) = Batch::decode(bytes.as_slice()) {
            let mut world = World::empty();
            let invocation = world.invocation(partner(0));
            assert!(execute(&mut world.state, &invocation, &batch).is_err());
        }
        if let Ok(question) = Query::decode(bytes.as_slice()) {
            let _ = query::answer(&mut World::empty().state, &question);
        }
    }
}
