//! Queries: cursors and pages of balances.

use gx_proto::gx::contract::v1::query::Query as Question;
use gx_proto::gx::contract::v1::query_result::Result as Answer;
use gx_proto::gx::contract::v1::{
    AccountBalance, Balances, LaneCursor, Query, QueryBalances, QueryContract, QueryLane,
};

use crate::amount::MAXIMUM_SUPPLY;
use crate::lane::{FIRST_DIGEST, LaneName, STAFF_LANE};
use crate::params;
use crate::query;
use crate::state::StateError;
use crate::testing::build::{MSP, account_in, gx, partner, transfer};
use crate::testing::world::World;

fn ask(world: &mut World, question: Question) -> Result<Answer, StateError> {
    let query = Query {
        query: Some(question),
    };
    let result = query::answer(&mut world.state, &query)?;
    Ok(result.result.expect("an answer"))
}

fn page(world: &mut World, after: &str, limit: u32) -> Result<Balances, StateError> {
    let question = Question::Balances(QueryBalances {
        after: after.to_owned(),
        limit,
    });
    match ask(world, question)? {
        Answer::Balances(balances) => Ok(balances),
        other => panic!("asked for balances, got {other:?}"),
    }
}

fn cursor(world: &mut World, msp_id: &str, lane: LaneName) -> Result<LaneCursor, StateError> {
    let question = Question::Lane(QueryLane {
        lane: Some(lane.into()),
        msp_id: msp_id.to_owned(),
    });
    match ask(world, question)? {
        Answer::Lane(cursor) => Ok(cursor),
        other => panic!("asked for a lane, got {other:?}"),
    }
}

fn all(world: &mut World, limit: u32) -> Vec<AccountBalance> {
    let mut accounts: Vec<AccountBalance> = Vec::new();
    loop {
        let after = accounts
            .last()
            .map(|row| row.account.clone())
            .unwrap_or_default();
        let balances = page(world, &after, limit).expect("a page");
        accounts.extend(balances.accounts);
        if !balances.more {
            return accounts;
        }
    }
}

#[test]
fn pages_add_up_to_the_supply_whatever_their_size() {
    let mut world = World::new();
    let pay = transfer(&account_in(0, 0), &account_in(1, 0), gx(10), gx(1));
    world.submit(partner(0), vec![pay]);
    let whole = all(&mut world, 10_000);
    assert_eq!(whole.len(), 6 + 3 + 6);
    assert!(whole.is_sorted_by(|a, b| a.account < b.account));
    let sum: i64 = whole.iter().map(|row| row.balance_qirat).sum();
    assert_eq!(Some(sum), MAXIMUM_SUPPLY.to_signed());
    for limit in 1..=16 {
        assert_eq!(all(&mut world, limit), whole);
    }
    let receiver = whole.iter().find(|row| row.account == account_in(1, 0));
    let receiver = receiver.map(|row| (row.balance_qirat, row.folded_qirat));
    assert_eq!(receiver, Some((gx(510) as i64, gx(500) as i64)));
}

#[test]
fn a_page_carries_all_cursors() {
    let mut world = World::new();
    let balances = page(&mut world, "", 1).expect("a page");
    assert!(balances.more);
    for position in balances.lanes {
        let lane = LaneName::try_from(&position.lane.expect("a lane")).expect("a lane");
        assert_eq!(position.msp_id, MSP);
        assert_eq!(position.cursor, Some(world.cursor(lane)));
    }
}

#[test]
fn a_long_list_of_credits_is_read_page_by_page() {
    let mut world = World::new();
    let account = account_in(0, 0);
    let record = gx_proto::gx::contract::v1::CreditRecord { delta_qirat: 1 };
    let bytes = prost::Message::encode_to_vec(&record);
    for number in 0..25_000 {
        let key = crate::keys::credit(&account, MSP, partner(1), number);
        world.state.committed.insert(key, bytes.clone());
    }
    let whole = all(&mut world, 10_000);
    let row = whole.iter().find(|row| row.account == account);
    let total = row.map(|row| row.balance_qirat - row.folded_qirat);
    assert_eq!(total, Some(25_000));
}

#[test]
fn a_lane_tells_its_cursor() {
    let mut world = World::new();
    let expected = world.cursor(partner(0));
    assert_eq!(cursor(&mut world, MSP, partner(0)), Ok(expected));
    let fresh = cursor(&mut world, "OtherMSP", STAFF_LANE).expect("a cursor");
    assert_eq!((fresh.number, &fresh.digest[..]), (0, &FIRST_DIGEST[..]));
}

#[test]
fn questions_without_sense_are_errors() {
    let mut world = World::new();
    assert!(query::answer(&mut world.state, &Query::default()).is_err());
    assert!(page(&mut world, "", 0).is_err());
    assert!(page(&mut world, "", 10_001).is_err());
    assert!(cursor(&mut world, "", partner(0)).is_err());
    assert!(ask(&mut world, Question::Lane(QueryLane::default())).is_err());
}

#[test]
fn the_contract_says_which_rules_it_knows_and_which_are_in_force() {
    let mut world = World::new();
    for in_force in [1, 2] {
        let answer = ask(&mut world, Question::Contract(QueryContract {})).unwrap();
        let Answer::Contract(contract) = answer else {
            panic!("{answer:?}");
        };
        assert_eq!(contract.rules_version, in_force);
        assert_eq!(
            (contract.rules_version_min, contract.rules_version_max),
            (1, 1)
        );
        assert_eq!(contract.version, crate::VERSION);
        world.set_parameter(params::RULES_VERSION, 2);
    }
}
