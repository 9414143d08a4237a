//! What the chain says: cursors and balances of one moment.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context as _, bail};
use gx_contract::lane::LaneName;
use gx_fabric::devnet::{MSP_ID, StateReader};
use gx_proto::gx::contract::v1::{
    Balances, LanePosition, Query, QueryBalances, query, query_result,
};

use super::Qirat;

/// Accounts asked for at once.
const PAGE: u32 = 1_000;

/// The chain at one moment.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// The block of that moment.
    pub(super) block: i64,
    /// The number of the last command of each lane.
    pub(super) cursors: BTreeMap<String, i64>,
    /// Every account's balance, to exactly these cursors.
    pub(super) balances: BTreeMap<String, i64>,
}

impl Chain {
    /// All balances together.
    pub(super) fn supply(&self) -> Qirat {
        Qirat(self.balances.values().copied().map(i128::from).sum())
    }
}

/// Reads everything from one moment of the state, and lets go of it.
pub(super) fn read(folder: &Path) -> anyhow::Result<Chain> {
    let state = StateReader::open(folder).context("the ledger's state cannot be read")?;
    let mut chain = Chain {
        block: i64::try_from(state.height())? - 1,
        ..Chain::default()
    };
    let mut after = String::new();
    loop {
        let page = page(&state, after)?;
        for position in &page.lanes {
            chain.cursors.extend(cursor(position)?);
        }
        for account in &page.accounts {
            let balance = (account.account.clone(), account.balance_qirat);
            chain.balances.extend([balance]);
        }
        match page.accounts.last() {
            Some(last) if page.more => after = last.account.clone(),
            _ => break,
        }
    }
    if chain.balances.is_empty() {
        bail!("the chain has no accounts yet: its first start is not done");
    }
    Ok(chain)
}

fn page(state: &StateReader, after: String) -> anyhow::Result<Balances> {
    let question = QueryBalances { after, limit: PAGE };
    let query = Query {
        query: Some(query::Query::Balances(question)),
    };
    match state.query(&query)?.result {
        Some(query_result::Result::Balances(balances)) => Ok(balances),
        _ => bail!("the contract answered another question"),
    }
}

/// A lane and its cursor's number; lanes of other organizations are not this
/// system's.
fn cursor(position: &LanePosition) -> anyhow::Result<Option<(String, i64)>> {
    if position.msp_id != MSP_ID {
        return Ok(None);
    }
    let lane = position.lane.as_ref().context("a cursor without lane")?;
    let cursor = position.cursor.as_ref().context("a lane without cursor")?;
    let lane = LaneName::try_from(lane)?.to_string();
    Ok(Some((lane, i64::try_from(cursor.number)?)))
}
