//! Whether a running system holds its promises, read from the system itself: its
//! blocks, its state, its database and its interface. Nothing is believed because
//! it was done a moment ago.

mod blocks;
mod operations;

use std::fmt;

use anyhow::Context as _;
use gx_contract::amount::MAXIMUM_SUPPLY;
use gx_fabric::Ledger as _;
use gx_proto::gx::tokenomics::v1::GetSupplyResponse;
use serde::Serialize;

use super::{
    open,
    reconcile::{self, Reconciliation},
    table::Qirat,
};
use crate::{config::Config, network};

/// Every claim, and whether it holds.
#[derive(Debug, Serialize)]
pub struct Proof {
    /// In the order in which they are told.
    pub claims: Vec<Claim>,
}

/// One claim about the system.
#[derive(Debug, Serialize)]
pub struct Claim {
    /// What is claimed.
    pub claim: &'static str,
    /// Whether it holds.
    pub holds: bool,
    /// What was looked at.
    pub seen: String,
    /// What contradicts it.
    pub faults: Vec<String>,
}

impl Claim {
    fn new(claim: &'static str, seen: String, faults: Vec<String>) -> Self {
        Self {
            claim,
            holds: faults.is_empty(),
            seen,
            faults,
        }
    }
}

impl Proof {
    /// Looks at everything. `supply` is what the interface told.
    ///
    /// # Errors
    /// If something cannot be looked at.
    pub async fn read(config: &Config, supply: &GetSupplyResponse) -> anyhow::Result<Self> {
        let ledger = network::connect(config)?;
        let options = reconcile::Options { timeout_s: 30 };
        let reconciled = reconcile::compare(config, &ledger, &options).await?;
        // The database before the blocks: what it names is in them by then.
        let store = open::store(config).await?;
        let settled = operations::read(&store).await?;
        let height = ledger.height().await.context("the ledger's height")?;
        let walk = blocks::walk(&ledger, height).await?;
        Ok(Self {
            claims: vec![
                supply_is_whole(supply, &reconciled),
                chain_is_read_model(&reconciled),
                blocks_are_unbroken(&walk, &settled),
                commands_are_settled_once(&walk, &settled),
            ],
        })
    }

    /// Whether every claim holds.
    pub fn holds(&self) -> bool {
        self.claims.iter().all(|claim| claim.holds)
    }
}

fn supply_is_whole(told: &GetSupplyResponse, reconciled: &Reconciliation) -> Claim {
    let maximum = Qirat(MAXIMUM_SUPPLY.get().into());
    let parts = [
        told.pools_qirat,
        told.treasuries_qirat,
        told.circulating_qirat,
    ];
    let parts = Qirat(parts.map(i128::from).iter().sum());
    let pairs = [
        ("the parts that GetSupply tells", parts),
        ("the entries of all accounts", reconciled.supply_qirat),
    ];
    let faults = pairs.into_iter().filter(|(_, sum)| *sum != maximum);
    Claim::new(
        "the supply is the sum of all balances",
        format!("{maximum} in {} accounts", reconciled.accounts),
        faults
            .map(|(what, sum)| format!("{what} sum to {sum}"))
            .collect(),
    )
}

fn chain_is_read_model(reconciled: &Reconciliation) -> Claim {
    let accounts = reconciled.differences.iter().map(|one| {
        let (account, what) = (&one.account, one.what);
        let (expected, found) = (one.expected_qirat, one.found_qirat);
        format!("{account}: {what}: must be {expected}, is {found}")
    });
    let buckets = reconciled.buckets.iter().map(|one| {
        let (bucket, expected, found) = (one.bucket, one.expected_qirat, one.found_qirat);
        format!("{bucket}, a part of the supply: must be {expected}, is {found}")
    });
    Claim::new(
        "the read model is the chain",
        format!(
            "{} accounts by the cursors of {} lanes, the supply at block {}",
            reconciled.accounts, reconciled.lanes, reconciled.block
        ),
        accounts.chain(buckets).collect(),
    )
}

fn blocks_are_unbroken(walk: &blocks::Walk, settled: &operations::Settled) -> Claim {
    let mut faults = walk.broken.clone();
    faults.extend(operations::other_chain(walk, settled));
    Claim::new(
        "the blocks are one unbroken chain",
        format!("{} blocks, every hash made again", walk.hashes.len()),
        faults,
    )
}

fn commands_are_settled_once(walk: &blocks::Walk, settled: &operations::Settled) -> Claim {
    let mut faults = walk.out_of_order.clone();
    faults.extend(operations::compare(walk, settled));
    Claim::new(
        "every command is settled once",
        format!(
            "{} commands in the blocks, {} settled operations",
            walk.commands.len(),
            settled.operations.len()
        ),
        faults,
    )
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PROOF, read from the running system")?;
        for (letter, claim) in ('a'..).zip(&self.claims) {
            let verdict = if claim.holds { "holds" } else { "BROKEN" };
            let (claimed, seen) = (claim.claim, &claim.seen);
            write!(f, "\n ({letter})  {verdict:<6}  {claimed:<37}  {seen}")?;
            for fault in &claim.faults {
                write!(f, "\n              - {fault}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(circulating_qirat: u64) -> GetSupplyResponse {
        GetSupplyResponse {
            pools_qirat: MAXIMUM_SUPPLY.get() - 10,
            treasuries_qirat: 4,
            circulating_qirat,
            ..GetSupplyResponse::default()
        }
    }

    fn reconciled(supply: i128) -> Reconciliation {
        Reconciliation {
            block: 7,
            lanes: 2,
            accounts: 3,
            supply_qirat: Qirat(supply),
            reserved_qirat: Qirat(0),
            differences: Vec::new(),
            buckets: Vec::new(),
        }
    }

    #[test]
    fn a_supply_that_is_not_whole_is_found_on_both_sides() {
        let whole = i128::from(MAXIMUM_SUPPLY.get());
        for (circulating, chain, faults) in [
            (6, whole, 0),
            (7, whole, 1),
            (6, whole - 1, 1),
            (5, whole + 1, 2),
        ] {
            let claim = supply_is_whole(&told(circulating), &reconciled(chain));
            assert_eq!((claim.faults.len(), claim.holds), (faults, faults == 0));
        }
    }

    #[test]
    fn a_broken_claim_names_its_account() {
        let mut reconciled = reconciled(0);
        reconciled.differences.push(reconcile::Difference {
            account: "TREASURY_DE".to_owned(),
            what: reconcile::What::Balance,
            expected_qirat: Qirat(1),
            found_qirat: Qirat(2),
        });
        let proof = Proof {
            claims: vec![chain_is_read_model(&reconciled)],
        };
        assert!(!proof.holds());
        let text = proof.to_string();
        assert!(
            text.contains("BROKEN") && text.contains("TREASURY_DE"),
            "{text}"
        );
    }
}
