//! CreateAccount: a person's account and its grant in one step, by a partner, in
//! the lane of the person's country.
//!
//! Refusals in order: `MALFORMED` (a commitment that is not 32 bytes, a country
//! that is not two capital letters), `ROLE`, `ACCOUNT_ID`, `LANE`,
//! `UNKNOWN_COUNTRY`, `KNOWN_COMMITMENT` (before the next, so that a repeated
//! approval learns whose it is), `ACCOUNT_EXISTS`.

use gx_proto::gx::contract::v1::done::Fact;
use gx_proto::gx::contract::v1::{
    AccountCreated, AccountRecord, AccountStatus, AccountType, CommandRefusal, CommitmentRecord,
    CountryRecord, CreateAccount, Done, PostingKind, Refused,
};

use super::refusal::{require, require_lane};
use super::{Postings, Stop, partner_lanes, require_domain};
use crate::account::{
    AccountId, GOVT_GENESIS_POOL, USER_GENESIS_POOL, is_country_code, treasury_of,
};
use crate::batch::Rules;
use crate::book::Book;
use crate::genesis::{PHASES, Phase};
use crate::keys;
use crate::lane::{self, LaneDomain};
use crate::state::StateError;

/// Bytes of a uniqueness commitment.
const COMMITMENT_BYTES: usize = 32;

pub(super) fn run(
    book: &mut Book<'_>,
    rules: &Rules,
    command: &CreateAccount,
) -> Result<Done, Stop> {
    let country = check(book, rules, command)?;
    let commitment = CommitmentRecord {
        account: command.account.clone(),
    };
    book.overlay
        .put(keys::commitment(&command.commitment), &commitment);
    book.open(&command.account, person(command, rules.time_ms), 0);
    let granted = if command.grant_eligible {
        take_slot(book, command, country)
    } else {
        None
    };
    let (phase, postings) = match granted {
        Some((number, phase)) => (number, pay(book, command, phase)?),
        None => (0, Postings::default()),
    };
    Ok(Done {
        postings: postings.into_vec(),
        fact: Some(Fact::AccountCreated(AccountCreated {
            account: command.account.clone(),
            r#type: AccountType::Person.into(),
            country: command.country.clone(),
            phase,
            grant_qirat: granted.map_or(0, |(_, phase)| phase.grant.get()),
            commitment: command.commitment.clone(),
        })),
    })
}

/// Whether a field has an impossible length or value.
pub(crate) fn is_malformed(command: &CreateAccount) -> bool {
    command.commitment.len() != COMMITMENT_BYTES || !is_country_code(&command.country)
}

fn check(
    book: &mut Book<'_>,
    rules: &Rules,
    command: &CreateAccount,
) -> Result<CountryRecord, Stop> {
    require(!is_malformed(command), CommandRefusal::Malformed)?;
    require_domain(rules, LaneDomain::Partner)?;
    let lanes = partner_lanes(book)?;
    require(
        AccountId::is_canonical(&command.account),
        CommandRefusal::AccountId,
    )?;
    require_lane(rules, lane::of_country(&command.country, lanes))?;
    let country: Option<CountryRecord> = book.overlay.get(&keys::country(&command.country))?;
    let country = country.ok_or(CommandRefusal::UnknownCountry)?;
    let commitment = keys::commitment(&command.commitment);
    if let Some(known) = book.overlay.get::<CommitmentRecord>(&commitment)? {
        return Err(known_commitment(known).into());
    }
    let existing: Option<AccountRecord> = book.overlay.get(&keys::account(&command.account))?;
    require(existing.is_none(), CommandRefusal::AccountExists)?;
    Ok(country)
}

fn known_commitment(known: CommitmentRecord) -> Refused {
    Refused {
        reason: CommandRefusal::KnownCommitment.into(),
        account: known.account,
        fee_qirat: 0,
    }
}

fn person(command: &CreateAccount, create_time_ms: i64) -> AccountRecord {
    AccountRecord {
        r#type: AccountType::Person.into(),
        country: command.country.clone(),
        status: AccountStatus::Active.into(),
        create_time_ms,
    }
}

/// Takes a slot of the country's first phase that has one left; `None` once all
/// are taken. Phases are numbered from 1.
fn take_slot(
    book: &mut Book<'_>,
    command: &CreateAccount,
    mut country: CountryRecord,
) -> Option<(u32, &'static Phase)> {
    let slots = (1..).zip(PHASES.iter()).zip(country.slots_left.iter_mut());
    let ((number, phase), slot) = slots.into_iter().find(|(_, slot)| **slot > 0)?;
    *slot -= 1;
    book.overlay.put(keys::country(&command.country), &country);
    Some((number, phase))
}

fn pay(
    book: &mut Book<'_>,
    command: &CreateAccount,
    phase: &Phase,
) -> Result<Postings, StateError> {
    let treasury = treasury_of(&command.country);
    let mut postings = Postings::default();
    postings.transfer(
        book,
        (USER_GENESIS_POOL, &command.account),
        phase.grant,
        PostingKind::Grant,
    )?;
    postings.transfer(
        book,
        (GOVT_GENESIS_POOL, &treasury),
        phase.treasury,
        PostingKind::TreasuryGrant,
    )?;
    Ok(postings)
}
