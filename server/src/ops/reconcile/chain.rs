//! What the chain says: balances, and the cursors of one simulation with each page.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use gx_contract::lane::LaneName;
use gx_fabric::Ledger;
use gx_proto::gx::contract::v1::{
    Balances, LanePosition, Query, QueryBalances, query, query_result,
};

use super::patience::Patience;

/// Accounts asked for at once.
const PAGE: u32 = 1_000;

/// Every balance of the chain, in the order of accounts.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// Never empty; each begins behind the last account of the one before.
    pub(super) cuts: Vec<Cut>,
}

/// Balances of one moment, to exactly the cursors of that moment.
#[derive(Debug, Default)]
pub(super) struct Cut {
    /// The number of the last command of each lane.
    pub(super) cursors: BTreeMap<String, i64>,
    /// Balances by account.
    pub(super) balances: BTreeMap<String, i64>,
}

impl Chain {
    /// Every balance.
    pub(super) fn balances(&self) -> impl Iterator<Item = (&String, i64)> {
        let cuts = self.cuts.iter().flat_map(|cut| &cut.balances);
        cuts.map(|(account, balance)| (account, *balance))
    }

    /// The cut that says something of an account, be it that there is none.
    pub(super) fn cut_of(&self, account: &str) -> usize {
        let covers = |cut: &Cut| {
            let last = cut.balances.last_key_value();
            last.is_some_and(|(last, _)| account <= last.as_str())
        };
        let cut = self.cuts.iter().position(covers);
        cut.unwrap_or(self.cuts.len().saturating_sub(1))
    }

    /// The furthest cursor of each lane.
    pub(super) fn cursors(&self) -> BTreeMap<&str, i64> {
        let mut furthest = BTreeMap::new();
        for (lane, number) in self.cuts.iter().flat_map(|cut| &cut.cursors) {
            let known = furthest.entry(lane.as_str()).or_insert(*number);
            *known = (*known).max(*number);
        }
        furthest
    }

    /// Takes a page in; one of the same moment as the page before joins it.
    fn take(&mut self, page: Balances, msp_id: &str) -> anyhow::Result<()> {
        let mut cut = Cut::default();
        for position in &page.lanes {
            cut.cursors.extend(cursor(position, msp_id)?);
        }
        let balances = page.accounts.into_iter();
        cut.balances
            .extend(balances.map(|account| (account.account, account.balance_qirat)));
        match self.cuts.last_mut() {
            Some(last) if last.cursors == cut.cursors => last.balances.append(&mut cut.balances),
            _ => self.cuts.push(cut),
        }
        Ok(())
    }
}

/// Asks the ledger for everything.
pub(super) async fn read(ledger: &dyn Ledger, patience: &Patience) -> anyhow::Result<Chain> {
    let mut chain = Chain::default();
    let mut after = String::new();
    loop {
        let page = page(ledger, patience, after).await?;
        let (more, last) = (page.more, page.accounts.last());
        after = last.map_or_else(String::new, |last| last.account.clone());
        chain.take(page, ledger.msp_id())?;
        if !more || after.is_empty() {
            break;
        }
    }
    if chain.balances().next().is_none() {
        bail!("the chain has no accounts yet: its first start is not done");
    }
    Ok(chain)
}

async fn page(ledger: &dyn Ledger, patience: &Patience, after: String) -> anyhow::Result<Balances> {
    let question = QueryBalances { after, limit: PAGE };
    let query = Query {
        query: Some(query::Query::Balances(question)),
    };
    let answer = patience.ask(|| ledger.query(&query)).await;
    match answer.context("the ledger cannot be asked")?.result {
        Some(query_result::Result::Balances(balances)) => Ok(balances),
        _ => bail!("the contract answered another question"),
    }
}

/// A lane and its cursor's number; lanes of other organizations are not this
/// system's.
fn cursor(position: &LanePosition, msp_id: &str) -> anyhow::Result<Option<(String, i64)>> {
    if position.msp_id != msp_id {
        return Ok(None);
    }
    let lane = position.lane.as_ref().context("a cursor without lane")?;
    let cursor = position.cursor.as_ref().context("a lane without cursor")?;
    let lane = LaneName::try_from(lane)?.to_string();
    Ok(Some((lane, i64::try_from(cursor.number)?)))
}

#[cfg(test)]
mod tests {
    use gx_contract::lane::SYSTEM_LANE;
    use gx_proto::gx::contract::v1::{AccountBalance, LaneCursor};

    use super::*;

    fn page(number: u64, accounts: &[&str]) -> Balances {
        let position = |msp_id: &str, number| LanePosition {
            msp_id: msp_id.to_owned(),
            lane: Some(SYSTEM_LANE.into()),
            cursor: Some(LaneCursor {
                number,
                ..LaneCursor::default()
            }),
        };
        let accounts = accounts.iter().map(|account| AccountBalance {
            account: (*account).to_owned(),
            balance_qirat: 1,
            folded_qirat: 1,
        });
        Balances {
            lanes: vec![position("Org1MSP", number), position("Org2MSP", 99)],
            accounts: accounts.collect(),
            more: true,
        }
    }

    #[test]
    fn pages_of_one_moment_are_one_cut_and_each_account_has_one() {
        let mut chain = Chain::default();
        for page in [page(1, &["b"]), page(1, &["d"]), page(2, &["f"])] {
            chain.take(page, "Org1MSP").unwrap();
        }
        let cuts = ["a", "b", "c", "d", "e", "f", "g"].map(|account| chain.cut_of(account));
        assert_eq!(cuts, [0, 0, 0, 0, 1, 1, 1]);
        assert_eq!(chain.cursors(), BTreeMap::from([("sys/0", 2)]));
        assert_eq!(chain.balances().count(), 3);
    }
}
