//! Finds what differs: pure, from what was read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;

use super::{
    Qirat,
    chain::Chain,
    model::{Account, ReadModel},
};

/// An account that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The account.
    pub account: String,
    /// What differs.
    pub what: What,
    /// What it must be.
    pub expected_qirat: Qirat,
    /// What it is.
    pub found_qirat: Qirat,
}

/// What can differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The entries that the chain's cursors cover, from the chain's balance.
    Entries,
    /// An account of the chain has no wallet.
    Wallet,
    /// The wallet's balance, from the sum of its entries.
    Balance,
    /// What the wallet reserves, from what waiting commands hold.
    Reserved,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Entries => "entries, from the chain's balance",
            Self::Wallet => "no wallet, but a balance on the chain",
            Self::Balance => "the wallet's balance, from its entries",
            Self::Reserved => "what is reserved, from what waiting commands hold",
        })
    }
}

/// A part of the supply that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// A pool's name, `TREASURIES` or `CIRCULATING`.
    pub bucket: &'static str,
    /// What the entries of this part's accounts sum to.
    pub expected_qirat: Qirat,
    /// What is counted.
    pub found_qirat: Qirat,
}

/// Every account that differs, in order.
pub(super) fn accounts(chain: &Chain, model: &ReadModel) -> Vec<Difference> {
    let mut both: BTreeMap<&str, (Option<i64>, Option<&Account>)> = BTreeMap::new();
    for (account, balance) in chain.balances() {
        both.entry(account).or_default().0 = Some(balance);
    }
    for (account, read) in &model.accounts {
        both.entry(account).or_default().1 = Some(read);
    }
    let unknown = Account::default();
    both.into_iter()
        .flat_map(|(account, (balance, read))| one(account, balance, read.unwrap_or(&unknown)))
        .collect()
}

/// What differs at one account. One that the chain does not have yet may have a
/// wallet and later entries, but none that the cursors cover.
fn one(account: &str, chain: Option<i64>, read: &Account) -> Vec<Difference> {
    let (balance, reserved) = read.wallet.unwrap_or_default();
    let mut pairs = vec![(What::Entries, chain.unwrap_or(0), read.covered)];
    match (read.wallet, chain) {
        (None, Some(chain)) => pairs.push((What::Wallet, chain, 0)),
        _ => pairs.push((What::Balance, read.entries, balance)),
    }
    pairs.push((What::Reserved, read.held, reserved));
    pairs
        .into_iter()
        .filter(|(what, expected, found)| *what == What::Wallet || expected != found)
        .map(|(what, expected, found)| Difference {
            account: account.to_owned(),
            what,
            expected_qirat: Qirat(expected.into()),
            found_qirat: Qirat(found.into()),
        })
        .collect()
}

/// Every part of the supply that differs.
pub(super) fn supply(model: &ReadModel) -> Vec<Bucket> {
    let expected = |bucket: &str| model.parts.get(bucket).copied().unwrap_or(0);
    let found = |bucket: &str| i128::from(model.buckets.get(bucket).copied().unwrap_or(0));
    let both: BTreeSet<_> = model.parts.keys().chain(model.buckets.keys()).collect();
    both.into_iter()
        .filter(|bucket| expected(bucket) != found(bucket))
        .map(|bucket| Bucket {
            bucket,
            expected_qirat: Qirat(expected(bucket)),
            found_qirat: Qirat(found(bucket)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{super::chain::Cut, *};

    const POOL: &str = "SYSTEM_GX_POOL";
    const PERSON: &str = "GX-0000-0000-0000-00000";

    fn chain() -> Chain {
        let cut = Cut {
            cursors: BTreeMap::from([("partner/0".to_owned(), 3)]),
            balances: BTreeMap::from([(POOL.to_owned(), 900), (PERSON.to_owned(), 100)]),
        };
        Chain { cuts: vec![cut] }
    }

    /// The person has one more entry than the chain's cursors cover, and one
    /// command that waits.
    fn model() -> ReadModel {
        let pool = Account {
            wallet: Some((900, 0)),
            entries: 900,
            covered: 900,
            held: 0,
        };
        let person = Account {
            wallet: Some((80, 30)),
            entries: 80,
            covered: 100,
            held: 30,
        };
        ReadModel {
            accounts: BTreeMap::from([(POOL.to_owned(), pool), (PERSON.to_owned(), person)]),
            block: 7,
            buckets: BTreeMap::from([(POOL, 900), ("CIRCULATING", 100)]),
            parts: BTreeMap::from([(POOL, 900), ("CIRCULATING", 100)]),
        }
    }

    fn person(model: &mut ReadModel) -> &mut Account {
        model.accounts.get_mut(PERSON).unwrap()
    }

    fn found(model: &ReadModel) -> Vec<(String, What, i128, i128)> {
        accounts(&chain(), model)
            .into_iter()
            .map(|one| {
                (
                    one.account,
                    one.what,
                    one.expected_qirat.0,
                    one.found_qirat.0,
                )
            })
            .collect()
    }

    #[test]
    fn equal_ones_have_no_difference_though_one_is_ahead() {
        assert_eq!(found(&model()), []);
        assert_eq!(supply(&model()), []);
    }

    #[test]
    fn each_change_by_hand_names_its_account_and_place() {
        type Change = fn(&mut Account);
        let cases: [(Change, What, i128, i128); 4] = [
            (|one| one.covered = 99, What::Entries, 100, 99),
            (|one| one.wallet = Some((81, 30)), What::Balance, 80, 81),
            (|one| one.wallet = Some((80, 0)), What::Reserved, 30, 0),
            (|one| one.held = 0, What::Reserved, 0, 30),
        ];
        for (change, what, expected, is) in cases {
            let mut model = model();
            change(person(&mut model));
            assert_eq!(found(&model), [(PERSON.to_owned(), what, expected, is)]);
        }
    }

    #[test]
    fn accounts_of_one_side_alone_are_found() {
        let mut model = model();
        let person = model.accounts.remove(PERSON).unwrap();
        let differing = found(&model);
        assert_eq!(differing[0], (PERSON.to_owned(), What::Entries, 100, 0));
        assert_eq!(differing[1], (PERSON.to_owned(), What::Wallet, 100, 0));

        model.accounts.insert(PERSON.to_owned(), person);
        let newer = Account {
            wallet: Some((5, 0)),
            entries: 5,
            ..Account::default()
        };
        model.accounts.insert("GX-new".to_owned(), newer.clone());
        assert_eq!(found(&model), []);
        let invented = Account {
            covered: 5,
            ..newer
        };
        model.accounts.insert("GX-new".to_owned(), invented);
        assert_eq!(found(&model), [("GX-new".to_owned(), What::Entries, 0, 5)]);
    }

    #[test]
    fn supply_is_compared_by_its_parts() {
        let mut model = model();
        model.buckets = BTreeMap::from([(POOL, 899), ("TREASURIES", 1), ("CIRCULATING", 100)]);
        let parts: Vec<_> = supply(&model)
            .into_iter()
            .map(|one| (one.bucket, one.expected_qirat.0, one.found_qirat.0))
            .collect();
        assert_eq!(parts, [(POOL, 900, 899), ("TREASURIES", 0, 1)]);
    }
}
