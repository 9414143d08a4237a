//! Random work for the properties: batches of two lanes, told by small numbers.

use gx_proto::gx::contract::v1::command::Body;
use gx_proto::gx::contract::v1::{AccountCredits, Batch, Command};
use proptest::prelude::*;

use crate::account::CHARITABLE_POOL;
use crate::lane;
use crate::testing::build::{
    LANES, account_in, create, credit_key, fold, gx, partner, transfer, void,
};
use crate::testing::world::World;

/// One command; places count people, of the batch's lane or of all.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Transfer {
        from: usize,
        to: usize,
        amount: u64,
        max_fee: u64,
    },
    Fold {
        account: usize,
        judge: bool,
    },
    Create {
        place: usize,
        country: usize,
        eligible: bool,
    },
    Void,
}

/// One batch.
#[derive(Debug, Clone)]
pub(super) struct Round {
    pub(super) lane: u32,
    pub(super) steps: Vec<Step>,
    pub(super) later_ms: i64,
}

/// One to `most` batches.
pub(super) fn rounds(most: usize) -> impl Strategy<Value = Vec<Round>> {
    let round = (
        0..LANES,
        prop::collection::vec(step(), 1..5),
        -50_i64..1_000,
    );
    let round = round.prop_map(|(lane, steps, later_ms)| Round {
        lane,
        steps,
        later_ms,
    });
    prop::collection::vec(round, 1..=most)
}

fn step() -> impl Strategy<Value = Step> {
    let amount = prop_oneof![
        1 => Just(0),
        4 => 1..gx(4),
        6 => gx(4)..gx(300),
        4 => gx(300)..gx(1_100),
    ];
    let max_fee = prop_oneof![1 => Just(0), 6 => Just(gx(5))];
    prop_oneof![
        8 => (0_usize..5, 0_usize..9, amount, max_fee)
            .prop_map(|(from, to, amount, max_fee)| Step::Transfer { from, to, amount, max_fee }),
        3 => (0_usize..5, any::<bool>())
            .prop_map(|(account, judge)| Step::Fold { account, judge }),
        2 => (0_usize..4, 0_usize..3, any::<bool>())
            .prop_map(|(place, country, eligible)| Step::Create { place, country, eligible }),
        1 => Just(Step::Void),
    ]
}

impl Round {
    /// The round's commands; numbered from `first`, so that two worlds get the
    /// same ones.
    pub(super) fn commands(&self, people: &People, first: u64) -> Vec<Command> {
        let bodies = self.steps.iter().map(|step| people.body(self.lane, step));
        let numbered = (first..).zip(bodies);
        numbered
            .map(|(number, body)| crate::testing::build::command(number, Some(body)))
            .collect()
    }
}

/// The accounts that scripts speak of; looked up once, since hashing is slow.
pub(super) struct People {
    lanes: [Vec<String>; LANES as usize],
}

impl People {
    pub(super) fn new() -> Self {
        Self {
            lanes: [0, 1].map(|lane| (0..8).map(|place| account_in(lane, place)).collect()),
        }
    }

    fn of_lane(&self, lane: u32, place: usize) -> &str {
        &self.lanes[lane as usize][place]
    }

    /// Some are in no lane of the batch, one is a pool, one may be nobody.
    fn anyone(&self, place: usize) -> &str {
        match place {
            0..4 => self.of_lane(0, place),
            4..7 => self.of_lane(1, place - 4),
            7 => self.of_lane(0, 4),
            _ => CHARITABLE_POOL,
        }
    }

    fn body(&self, lane: u32, step: &Step) -> Body {
        match step {
            Step::Transfer {
                from,
                to,
                amount,
                max_fee,
            } => transfer(
                self.of_lane(lane, *from),
                self.anyone(*to),
                *amount,
                *max_fee,
            ),
            Step::Fold { account, judge } => fold(self.of_lane(lane, *account), *judge),
            Step::Create {
                place,
                country,
                eligible,
            } => {
                let countries = ["DE", "FR", "VA"];
                create(
                    self.of_lane(lane, 4 + place),
                    countries[*country],
                    *eligible,
                )
            }
            Step::Void => void(),
        }
    }
}

/// How a batch lists credits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Naming {
    /// Which of the open ones are listed, by bits.
    pub(super) listed: u16,
    /// Whether they are listed twice.
    pub(super) twice: bool,
    /// Whether credits are listed that never were or are folded long ago.
    pub(super) stale: bool,
}

pub(super) fn naming() -> impl Strategy<Value = Naming> {
    (any::<u16>(), any::<bool>(), any::<bool>()).prop_map(|(listed, twice, stale)| Naming {
        listed,
        twice,
        stale,
    })
}

/// The batch's list of credits, spoilt.
pub(super) fn name_credits(world: &World, batch: &Batch, naming: Naming) -> Vec<AccountCredits> {
    let mut lists = world.all_credits(batch);
    for list in &mut lists {
        let mut place = 0;
        list.credits.retain(|_| {
            place += 1;
            naming.listed >> (place % 16) & 1 == 1
        });
        if naming.twice {
            list.credits.extend_from_within(..);
        }
        if naming.stale {
            let lanes =
                (0..LANES).flat_map(|lane| (1..batch.first_sequence).map(move |n| (lane, n)));
            list.credits
                .extend(lanes.map(|(lane, number)| credit_key(partner(lane), number)));
            list.credits.push(credit_key(lane::STAFF_LANE, 77));
        }
    }
    lists
}
