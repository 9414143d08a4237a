//! One case for every reason to refuse a command. A refused command leaves no
//! trace but its number.

use gx_proto::gx::contract::v1::command::Body;
use gx_proto::gx::contract::v1::command_outcome::Outcome;
use gx_proto::gx::contract::v1::{
    AccountStatus, AccountType, CommandRefusal as Reason, CreateAccount,
};

use crate::account::AccountId;
use crate::keys;
use crate::lane::{self, LaneName, STAFF_LANE, SYSTEM_LANE};
use crate::testing::build::{
    LANES, MSP, account_in, bootstrap, command, create, fold, gx, load_countries, partner, transfer,
};
use crate::testing::world::{SHARES, World, reason};

/// The reason, and a world with a command that is refused for it.
type Case = (Reason, fn() -> (World, LaneName, Option<Body>));

const CASES: &[Case] = &[
    (Reason::Malformed, || (World::new(), partner(0), None)),
    (Reason::Malformed, || {
        (World::empty(), SYSTEM_LANE, Some(bootstrap(0)))
    }),
    (Reason::Malformed, || {
        (World::empty(), SYSTEM_LANE, Some(bootstrap(257)))
    }),
    (Reason::Malformed, || {
        let body = Body::CreateAccount(CreateAccount {
            account: account_in(0, 9),
            country: "DE".to_owned(),
            commitment: vec![1; 31].into(),
            grant_eligible: true,
        });
        (World::new(), home("DE"), Some(body))
    }),
    (Reason::Malformed, || {
        let body = create(&account_in(0, 9), "de", true);
        (World::new(), home("de"), Some(body))
    }),
    (Reason::Role, || {
        (World::new(), partner(0), Some(load_countries(&SHARES)))
    }),
    (Reason::Role, || {
        (World::new(), STAFF_LANE, Some(pay(gx(1), gx(1))))
    }),
    (Reason::Role, || {
        (
            World::new(),
            SYSTEM_LANE,
            Some(create(&account_in(0, 9), "DE", true)),
        )
    }),
    (Reason::Lane, || {
        (World::new(), partner(1), Some(pay(gx(1), gx(1))))
    }),
    (Reason::Lane, || {
        let other = partner(1 - home("DE").number);
        (
            World::new(),
            other,
            Some(create(&account_in(0, 9), "DE", true)),
        )
    }),
    (Reason::Lane, || {
        (
            World::new(),
            partner(1),
            Some(fold(&account_in(0, 0), true)),
        )
    }),
    (Reason::Lane, || {
        (World::new(), partner(0), Some(fold("TREASURY_DE", false)))
    }),
    (Reason::NotBootstrapped, || {
        (World::empty(), SYSTEM_LANE, Some(load_countries(&SHARES)))
    }),
    (Reason::NotBootstrapped, || {
        (
            World::empty(),
            SYSTEM_LANE,
            Some(fold("TREASURY_DE", false)),
        )
    }),
    (Reason::AlreadyBootstrapped, || {
        (World::new(), SYSTEM_LANE, Some(bootstrap(4)))
    }),
    (Reason::CountriesAlreadyLoaded, || {
        (
            World::new(),
            SYSTEM_LANE,
            Some(load_countries(&[("IT", 1_000_000_000)])),
        )
    }),
    (Reason::CountryTable, || countries(&[])),
    (Reason::CountryTable, || countries(&[("DE", 999_999_999)])),
    (Reason::CountryTable, || countries(&[("DE", 1_000_000_001)])),
    (Reason::CountryTable, || countries(&[("De", 1_000_000_000)])),
    (Reason::CountryTable, || {
        countries(&[("DEU", 1_000_000_000)])
    }),
    (Reason::CountryTable, || {
        countries(&[("DE", 500_000_000), ("DE", 500_000_000)])
    }),
    (Reason::UnknownCountry, || {
        (
            World::new(),
            home("IT"),
            Some(create(&account_in(0, 9), "IT", true)),
        )
    }),
    (Reason::AccountId, || {
        (
            World::new(),
            home("DE"),
            Some(create("SYSTEM_GX_POOL", "DE", true)),
        )
    }),
    (Reason::AccountId, || {
        let id = account_in(0, 9).to_lowercase();
        (World::new(), home("DE"), Some(create(&id, "DE", true)))
    }),
    (Reason::AccountId, || {
        (World::new(), partner(0), Some(fold("delta/", false)))
    }),
    (Reason::AccountExists, || {
        let Body::CreateAccount(mut body) = create(&account_in(0, 0), "DE", true) else {
            unreachable!()
        };
        body.commitment = vec![9; 32].into();
        (World::new(), home("DE"), Some(Body::CreateAccount(body)))
    }),
    (Reason::KnownCommitment, || {
        (
            World::new(),
            home("DE"),
            Some(create(&account_in(0, 0), "DE", true)),
        )
    }),
    (Reason::UnknownSender, || {
        let body = transfer(&account_in(0, 9), &account_in(0, 1), gx(1), gx(1));
        (World::new(), partner(0), Some(body))
    }),
    (Reason::UnknownSender, || {
        (
            World::new(),
            partner(0),
            Some(fold(&account_in(0, 9), false)),
        )
    }),
    (Reason::UnknownReceiver, || {
        let body = transfer(&account_in(0, 0), &account_in(0, 9), gx(1), gx(1));
        (World::new(), partner(0), Some(body))
    }),
    (Reason::UnknownReceiver, || {
        let body = transfer(&account_in(0, 0), "TREASURY_XX", gx(1), gx(1));
        (World::new(), partner(0), Some(body))
    }),
    (Reason::SenderNotActive, || frozen(&account_in(0, 0))),
    (Reason::ReceiverNotActive, || frozen(&account_in(0, 1))),
    (Reason::ReceiverNotActive, || {
        let body = transfer(&account_in(0, 0), "TREASURY_DE", gx(1), gx(1));
        (World::new(), partner(0), Some(body))
    }),
    (Reason::SelfTransfer, || {
        let body = transfer(&account_in(0, 0), &account_in(0, 0), gx(1), gx(1));
        (World::new(), partner(0), Some(body))
    }),
    (Reason::ZeroAmount, || {
        (World::new(), partner(0), Some(pay(0, gx(1))))
    }),
    (Reason::InsufficientFunds, || {
        (World::new(), partner(0), Some(pay(gx(500), gx(5))))
    }),
    (Reason::FeeChanged, || {
        (World::new(), partner(0), Some(pay(gx(1), 1_499)))
    }),
];

fn home(country: &str) -> LaneName {
    lane::of_country(country, LANES)
}

/// From the first to the second of the first lane, across a border.
fn pay(amount: u64, max_fee: u64) -> Body {
    transfer(&account_in(0, 0), &account_in(0, 1), amount, max_fee)
}

fn countries(shares: &[(&str, u32)]) -> (World, LaneName, Option<Body>) {
    let mut world = World::empty();
    world.submit(SYSTEM_LANE, vec![bootstrap(LANES)]);
    (world, SYSTEM_LANE, Some(load_countries(shares)))
}

fn frozen(account: &str) -> (World, LaneName, Option<Body>) {
    let mut world = World::new();
    world.set_account(account, AccountType::Person, "DE", AccountStatus::Frozen);
    (world, partner(0), Some(pay(gx(1), gx(1))))
}

#[test]
fn every_case_is_refused_for_its_reason_and_changes_nothing() {
    for (place, (expected, case)) in CASES.iter().enumerate() {
        let (mut world, lane, body) = case();
        let batch = world.batch(lane, vec![command(1_000, body)]);
        let event = world.simulate(&batch).expect("the batch runs");
        let outcome = event.outcomes[0].outcome.clone().expect("an outcome");
        assert_eq!(reason(&outcome), Some(*expected), "case {place}");
        let written = world.state.written();
        assert_eq!(written, [keys::lane(MSP, lane)].into(), "case {place}");
        assert!(event.folded.is_empty() && event.credits_opened.is_empty());
    }
}

#[test]
fn every_reason_has_a_case() {
    for number in 1.. {
        let Ok(reason) = Reason::try_from(number) else {
            break;
        };
        assert!(
            CASES.iter().any(|(known, _)| *known == reason),
            "{reason:?}"
        );
    }
}

#[test]
fn known_commitment_names_its_account() {
    let mut world = World::new();
    let Body::CreateAccount(mut body) = create(&account_in(0, 0), "DE", true) else {
        unreachable!()
    };
    body.account = AccountId::from_bits([7; 10]).to_string();
    let outcome = world.outcome(home("DE"), Body::CreateAccount(body));
    let Outcome::Refused(refused) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(refused.reason(), Reason::KnownCommitment);
    assert_eq!(refused.account, account_in(0, 0));
}

#[test]
fn fee_changed_names_the_fee() {
    let mut world = World::new();
    let outcome = world.outcome(partner(0), pay(gx(1), 1_499));
    let Outcome::Refused(refused) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(refused.fee_qirat, 1_500);
}
