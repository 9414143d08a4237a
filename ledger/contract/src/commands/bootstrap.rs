//! Bootstrap: the whole supply in six system accounts, the parameters, and the
//! number of partner lanes. Once, by the system.
//!
//! Refusals in order: `MALFORMED` (no partner lane, or more than 256), `ROLE`,
//! `ALREADY_BOOTSTRAPPED`.

use gx_proto::gx::contract::v1::done::Fact;
use gx_proto::gx::contract::v1::{
    AccountRecord, AccountStatus, AccountType, Bootstrap, Bootstrapped, CommandRefusal, Done,
    LanesRecord, ParameterRecord,
};

use super::postings::signed;
use super::refusal::require;
use super::{Postings, Stop, require_domain};
use crate::account::POOLS;
use crate::batch::Rules;
use crate::book::Book;
use crate::keys;
use crate::lane::{LaneDomain, PARTNER_LANES_MAX};
use crate::params::PARAMETERS;
use crate::state::StateError;

pub(super) fn run(book: &mut Book<'_>, rules: &Rules, command: &Bootstrap) -> Result<Done, Stop> {
    let partner_lanes = command.partner_lanes;
    require(
        (1..=PARTNER_LANES_MAX).contains(&partner_lanes),
        CommandRefusal::Malformed,
    )?;
    require_domain(rules, LaneDomain::Sys)?;
    let lanes: Option<LanesRecord> = book.overlay.get(keys::LANES)?;
    require(lanes.is_none(), CommandRefusal::AlreadyBootstrapped)?;

    let lanes = LanesRecord { partner_lanes };
    book.overlay.put(keys::LANES.to_owned(), &lanes);
    write_parameters(book);
    let postings = open_pools(book, rules.time_ms)?;
    Ok(Done {
        postings: postings.into_vec(),
        fact: Some(Fact::Bootstrapped(Bootstrapped {
            partner_lanes,
            system_accounts: POOLS.iter().map(|pool| pool.name.to_owned()).collect(),
        })),
    })
}

fn write_parameters(book: &mut Book<'_>) {
    for parameter in PARAMETERS {
        let record = ParameterRecord {
            value: Some(parameter.default),
        };
        book.overlay.put(keys::parameter(parameter.key), &record);
    }
}

fn open_pools(book: &mut Book<'_>, create_time_ms: i64) -> Result<Postings, StateError> {
    let mut postings = Postings::default();
    for pool in POOLS {
        let account = AccountRecord {
            r#type: AccountType::System.into(),
            country: String::new(),
            status: AccountStatus::Active.into(),
            create_time_ms,
        };
        let supply_qirat = signed(pool.supply)?;
        book.open(pool.name, account, supply_qirat);
        postings.genesis(pool.name, supply_qirat);
    }
    Ok(postings)
}
