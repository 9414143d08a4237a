//! One case for every reason to refuse a whole batch, and their order. A refused
//! batch writes nothing.

use gx_proto::gx::contract::v1::{
    AccountCredits, Batch, BatchRefusal as Reason, BatchRefused, Command, Lane,
};

use crate::lane::{LaneDomain, LaneName, STAFF_LANE, SYSTEM_LANE};
use crate::params;
use crate::state::{ChainRole, Invocation};
use crate::testing::build::{
    MSP, account_in, command, credit_key, fold, gx, partner, transfer, void,
};
use crate::testing::world::World;
use crate::{Rejection, execute, keys};

struct Attempt {
    world: World,
    invocation: Invocation,
    batch: Batch,
}

/// The reason, and what spoils a fine batch.
type Case = (Reason, fn(&mut Attempt));

const CASES: &[Case] = &[
    (Reason::Malformed, |attempt| attempt.batch.lane = None),
    (Reason::Malformed, |attempt| {
        attempt.batch.lane = Some(Lane {
            domain: 9,
            number: 0,
        });
    }),
    (Reason::Malformed, |attempt| attempt.batch.commands.clear()),
    (Reason::Malformed, |attempt| {
        first(attempt).id = vec![1; 15].into();
    }),
    (Reason::Malformed, |attempt| {
        first(attempt).request_digest = vec![1; 33].into();
    }),
    (Reason::Malformed, |attempt| {
        attempt.batch.credits = vec![list(0), list(0)];
    }),
    (Reason::Malformed, |attempt| {
        attempt.batch.credits = vec![list(1)];
        attempt.batch.credits[0].credits[0].msp_id = "Org/MSP".to_owned();
    }),
    (Reason::Malformed, |attempt| {
        attempt.batch.credits = vec![list(1)];
        attempt.batch.credits[0].credits[0].lane = None;
    }),
    (Reason::Lane, |attempt| attempt.invocation.role = None),
    (Reason::Lane, |attempt| {
        attempt.invocation.role = Some(ChainRole::SuperAdmin);
    }),
    (Reason::Lane, |attempt| {
        attempt.invocation.msp_id = "Org/MSP".to_owned();
    }),
    (Reason::Lane, |attempt| {
        attempt.batch.lane = Some(partner(2).into());
    }),
    (Reason::Lane, |attempt| attempt.world = World::empty()),
    (Reason::LaneCursor, |attempt| {
        attempt.batch.first_sequence += 1
    }),
    (Reason::LaneCursor, |attempt| {
        attempt.batch.first_sequence = 0
    }),
    (Reason::LaneCursor, |attempt| {
        attempt.batch.previous_digest = vec![0; 32].into();
    }),
    (Reason::RulesVersion, |attempt| {
        attempt.batch.rules_version = 2
    }),
    (Reason::RulesVersion, |attempt| {
        attempt.batch.rules_version = 2;
        attempt.world.set_parameter(params::RULES_VERSION, 2);
    }),
    (Reason::TooManyCommands, |attempt| {
        attempt.world.set_parameter(params::BATCH_MAX_COMMANDS, 1);
        attempt.batch.commands.push(command(2, Some(void())));
    }),
    (Reason::TooManyCommands, |attempt| {
        attempt.batch.commands = vec![command(2, Some(void())); 2_001];
    }),
    (Reason::TooManyCredits, |attempt| {
        attempt.batch.credits = vec![list(257)];
    }),
    (Reason::TooManyCredits, |attempt| {
        let body = fold(&account_in(0, 0), false);
        attempt.batch.commands.push(command(2, Some(body)));
        attempt.batch.credits = vec![list(1_001)];
    }),
    (Reason::TooManyCredits, |attempt| {
        let own = credit_key(partner(0), attempt.batch.first_sequence);
        attempt.batch.credits = vec![list(0)];
        attempt.batch.credits[0].credits.push(own);
    }),
];

fn attempt() -> Attempt {
    let mut world = World::new();
    // The lane has moved, so that its cursor is not the first.
    world.submit(partner(0), vec![void()]);
    let body = transfer(&account_in(0, 0), &account_in(0, 1), gx(1), gx(1));
    let batch = world.batch(partner(0), vec![command(1, Some(body))]);
    let invocation = world.invocation(partner(0));
    Attempt {
        world,
        invocation,
        batch,
    }
}

fn first(attempt: &mut Attempt) -> &mut Command {
    &mut attempt.batch.commands[0]
}

/// So many credits of the first account, from another lane.
fn list(length: u64) -> AccountCredits {
    AccountCredits {
        account: account_in(0, 0),
        credits: (1..=length)
            .map(|number| credit_key(partner(1), number))
            .collect(),
    }
}

fn refusal(attempt: &mut Attempt) -> Option<BatchRefused> {
    let state = &mut attempt.world.state;
    let result = execute(state, &attempt.invocation, &attempt.batch);
    match result {
        Err(Rejection::Refused(refused)) => {
            assert!(state.writes.is_empty());
            Some(refused)
        }
        _ => None,
    }
}

#[test]
fn a_fine_batch_runs() {
    assert_eq!(refusal(&mut attempt()), None);
}

#[test]
fn limits_are_inclusive() {
    let mut at_limits = attempt();
    at_limits.world.set_parameter(params::BATCH_MAX_COMMANDS, 1);
    at_limits.batch.credits = vec![list(256)];
    assert_eq!(refusal(&mut at_limits), None);
    let mut at_limits = attempt();
    at_limits.world.set_parameter(params::BATCH_MAX_COMMANDS, 2);
    let body = fold(&account_in(0, 0), false);
    at_limits.batch.commands.push(command(2, Some(body)));
    at_limits.batch.credits = vec![list(1_000)];
    assert_eq!(refusal(&mut at_limits), None);
}

#[test]
fn every_case_is_refused_for_its_reason_and_writes_nothing() {
    for (place, (expected, spoil)) in CASES.iter().enumerate() {
        let mut attempt = attempt();
        spoil(&mut attempt);
        let refused = refusal(&mut attempt).map(|refused| refused.reason());
        assert_eq!(refused, Some(*expected), "case {place}");
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
fn refusals_tell_what_would_have_been_right() {
    let mut attempt = attempt();
    let cursor = attempt.world.cursor(partner(0));
    attempt.batch.credits = vec![list(257)];
    assert_eq!(
        refusal(&mut attempt).map(|refused| refused.limit),
        Some(256)
    );
    attempt.world.set_parameter(params::BATCH_MAX_COMMANDS, 0);
    assert_eq!(refusal(&mut attempt).map(|refused| refused.limit), Some(0));
    attempt.batch.first_sequence += 1;
    assert_eq!(
        refusal(&mut attempt).and_then(|refused| refused.cursor),
        Some(cursor)
    );
    attempt.batch.rules_version = 7;
    assert_eq!(refusal(&mut attempt).map(|refused| refused.limit), Some(1));
}

/// A batch that is wrong in every way, mended step by step.
#[test]
fn reasons_come_in_the_documented_order() {
    let mut attempt = attempt();
    attempt.world.set_parameter(params::BATCH_MAX_COMMANDS, 0);
    attempt.invocation.role = Some(ChainRole::Admin);
    attempt.batch.lane = Some(partner(2).into());
    attempt.batch.rules_version = 2;
    attempt.batch.first_sequence += 1;
    attempt.batch.credits = vec![list(257), list(0)];
    let mut expect = |reason, mend: fn(&mut Attempt)| {
        let refused = refusal(&mut attempt).map(|refused| refused.reason());
        assert_eq!(refused, Some(reason));
        mend(&mut attempt);
    };
    expect(Reason::Malformed, |attempt| {
        attempt.batch.credits.truncate(1)
    });
    expect(Reason::Lane, |attempt| {
        attempt.invocation.role = Some(ChainRole::Partner);
    });
    expect(Reason::Lane, |attempt| {
        attempt.batch.lane = Some(partner(0).into());
    });
    expect(Reason::RulesVersion, |attempt| {
        attempt.batch.rules_version = 1
    });
    expect(Reason::LaneCursor, |attempt| {
        attempt.batch.first_sequence -= 1
    });
    expect(Reason::TooManyCommands, |attempt| {
        attempt
            .world
            .set_parameter(params::BATCH_MAX_COMMANDS, 2_000);
    });
    expect(Reason::TooManyCredits, |attempt| {
        attempt.batch.credits.clear()
    });
    assert_eq!(refusal(&mut attempt), None);
}

#[test]
fn only_the_system_s_lane_exists_before_bootstrap() {
    for (lane, runs) in [
        (SYSTEM_LANE, true),
        (STAFF_LANE, false),
        (partner(0), false),
    ] {
        let mut world = World::empty();
        let batch = world.batch(lane, vec![command(1, Some(void()))]);
        assert_eq!(world.run(&batch).is_ok(), runs, "{lane}");
    }
}

#[test]
fn staff_and_system_have_one_lane() {
    for domain in [LaneDomain::Staff, LaneDomain::Sys] {
        for (number, runs) in [(0, true), (1, false)] {
            let mut world = World::new();
            let lane = LaneName::new(domain, number);
            let batch = world.batch(lane, vec![command(1_000, Some(void()))]);
            assert_eq!(world.run(&batch).is_ok(), runs, "{lane}");
        }
    }
}

#[test]
fn a_state_that_cannot_be_read_changes_nothing() {
    let account = account_in(0, 0);
    for key in [
        keys::lane(MSP, partner(0)),
        keys::LANES.to_owned(),
        keys::balance(&account),
        keys::parameter("fee.business.local"),
    ] {
        let mut attempt = attempt();
        attempt.world.state.broken_key = Some(key);
        let result = attempt.world.run(&attempt.batch);
        assert!(matches!(result, Err(Rejection::State(_))), "{result:?}");
    }
}
