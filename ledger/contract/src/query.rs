//! Questions to the contract, answered from one simulation.

use gx_proto::gx::contract::v1::query::Query as Question;
use gx_proto::gx::contract::v1::query_result::Result as Answer;
use gx_proto::gx::contract::v1::{
    AccountBalance, BalanceRecord, Balances, ContractInfo, CreditRecord, LaneCursor, LanePosition,
    Query, QueryBalances, QueryLane, QueryResult,
};

use crate::batch::{RULES_VERSIONS, first_cursor, parameter};
use crate::keys;
use crate::lane::LaneName;
use crate::overlay::{Overlay, decode};
use crate::params;
use crate::state::{State, StateError};

/// The most accounts of one page.
const ACCOUNTS_MAX: u32 = 10_000;

/// How many keys are read at once: a peer cuts a longer range without a word.
const RANGE_PAGE: usize = 10_000;

/// Answers a question; see [`crate::query()`].
pub(crate) fn answer(state: &mut dyn State, query: &Query) -> Result<QueryResult, StateError> {
    let answer = match &query.query {
        Some(Question::Lane(question)) => Answer::Lane(lane(state, question)?),
        Some(Question::Balances(question)) => Answer::Balances(balances(state, question)?),
        Some(Question::Contract(_)) => Answer::Contract(contract(state)?),
        None => return Err(StateError("the query asks nothing".into())),
    };
    Ok(QueryResult {
        result: Some(answer),
    })
}

fn contract(state: &mut dyn State) -> Result<ContractInfo, StateError> {
    let in_force = parameter(&mut Overlay::new(state), params::RULES_VERSION)?;
    let host = state.host();
    Ok(ContractInfo {
        version: crate::VERSION.to_owned(),
        rules_version: in_force,
        rules_version_min: *RULES_VERSIONS.start(),
        rules_version_max: *RULES_VERSIONS.end(),
        batched_operations: host.batched_operations,
        time_ms: host.time_ms,
        state_database: host.state_database.into(),
    })
}

fn lane(state: &mut dyn State, question: &QueryLane) -> Result<LaneCursor, StateError> {
    let lane = question
        .lane
        .as_ref()
        .and_then(|lane| LaneName::try_from(lane).ok());
    let lane = lane.ok_or_else(|| StateError("the query names no lane".into()))?;
    if !keys::is_msp_id(&question.msp_id) {
        return Err(StateError("the query names no MSP".into()));
    }
    let key = keys::lane(&question.msp_id, lane);
    match state.get(&key)? {
        Some(bytes) => decode(&key, &bytes),
        None => Ok(first_cursor()),
    }
}

fn balances(state: &mut dyn State, question: &QueryBalances) -> Result<Balances, StateError> {
    if !(1..=ACCOUNTS_MAX).contains(&question.limit) {
        return Err(StateError(format!(
            "limit is not within 1 to {ACCOUNTS_MAX}"
        )));
    }
    let limit = question.limit as usize;
    let (start, end) = keys::balances_after(&question.after);
    let mut page = Vec::new();
    scan(state, (start, end), limit + 1, |key, bytes| {
        page.push((key.to_owned(), decode::<BalanceRecord>(key, bytes)?));
        Ok(())
    })?;
    let more = page.len() > limit;
    page.truncate(limit);
    let accounts = page
        .into_iter()
        .map(|(key, record)| total(state, &key, &record))
        .collect::<Result<_, _>>()?;
    Ok(Balances {
        lanes: positions(state)?,
        accounts,
        more,
    })
}

/// The cursors of all lanes of all MSPs.
fn positions(state: &mut dyn State) -> Result<Vec<LanePosition>, StateError> {
    let mut positions = Vec::new();
    scan(state, keys::lanes_range(), usize::MAX, |key, bytes| {
        let (msp_id, lane) = keys::lane_of(key).ok_or_else(|| foreign(key))?;
        positions.push(LanePosition {
            msp_id: msp_id.to_owned(),
            lane: Some(lane.into()),
            cursor: Some(decode(key, bytes)?),
        });
        Ok(())
    })?;
    Ok(positions)
}

/// An account's folded balance and open credits.
fn total(
    state: &mut dyn State,
    key: &str,
    record: &BalanceRecord,
) -> Result<AccountBalance, StateError> {
    let account = keys::account_of_balance(key).ok_or_else(|| foreign(key))?;
    let mut balance_qirat = record.folded_qirat;
    scan(
        state,
        keys::credits_range(account),
        usize::MAX,
        |key, bytes| {
            let credit: CreditRecord = decode(key, bytes)?;
            balance_qirat = balance_qirat
                .checked_add(credit.delta_qirat)
                .ok_or_else(|| StateError(format!("balance of {account} exceeds the supply")))?;
            Ok(())
        },
    )?;
    Ok(AccountBalance {
        account: account.to_owned(),
        balance_qirat,
        folded_qirat: record.folded_qirat,
    })
}

/// Visits at most `limit` keys of a range, page by page.
fn scan(
    state: &mut dyn State,
    (mut start, end): (String, String),
    limit: usize,
    mut visit: impl FnMut(&str, &[u8]) -> Result<(), StateError>,
) -> Result<(), StateError> {
    let mut left = limit;
    loop {
        let wanted = left.min(RANGE_PAGE);
        let page = state.range(&start, &end, wanted)?;
        for (key, bytes) in &page {
            visit(key, bytes)?;
        }
        left -= page.len().min(left);
        match page.last() {
            Some((last, _)) if page.len() == wanted && left > 0 => start = keys::next(last),
            _ => return Ok(()),
        }
    }
}

fn foreign(key: &str) -> StateError {
    StateError(format!("key {key} is none of the contract's"))
}
