//! The one fee engine: it serves the chain and every preview, so what is quoted
//! is what is charged.
//!
//! The kind of a fee follows from the two accounts' types, never from the caller.
//! Fees are floored basis points of the amount; the sender pays them on top.

use gx_proto::gx::contract::v1::AccountType;

use crate::amount::Qirat;
use crate::params;

/// Below this a transfer between people is small.
const MEDIUM_FROM: Qirat = Qirat::from_gx(3);
/// Up to this, inclusive, a transfer between people is medium.
const MEDIUM_TO: Qirat = Qirat::from_gx(100);

/// What a transfer is charged as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FeeKind {
    /// Person to person, below 3 GX.
    PersonSmall,
    /// Person to person, 3 to 100 GX inclusive.
    PersonMedium,
    /// Person to person, above 100 GX.
    PersonLarge,
    /// To a merchant: a business that is not paid by a business.
    Merchant,
    /// To or from government.
    Government,
    /// Business to business.
    Business,
}

impl FeeKind {
    /// All kinds in order of the fee schedule.
    pub const ALL: [Self; 6] = [
        Self::PersonSmall,
        Self::PersonMedium,
        Self::PersonLarge,
        Self::Merchant,
        Self::Government,
        Self::Business,
    ];

    /// The kind's word in the parameters `fee.<kind>.<local|cross>`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::PersonSmall => "person_small",
            Self::PersonMedium => "person_medium",
            Self::PersonLarge => "person_large",
            Self::Merchant => "merchant",
            Self::Government => "government",
            Self::Business => "business",
        }
    }

    /// The kind of a transfer; `None` where it is exempt, which it is with a
    /// system account or a treasury on either side. An NGO counts as a person,
    /// and so does a business that pays a person.
    #[must_use]
    pub fn of(amount: Qirat, sender: AccountType, receiver: AccountType) -> Option<Self> {
        let either = |kind| sender == kind || receiver == kind;
        if either(AccountType::System) || either(AccountType::Treasury) {
            None
        } else if either(AccountType::Government) {
            Some(Self::Government)
        } else if receiver != AccountType::Business {
            Some(Self::of_people(amount))
        } else if sender == AccountType::Business {
            Some(Self::Business)
        } else {
            Some(Self::Merchant)
        }
    }

    fn of_people(amount: Qirat) -> Self {
        if amount < MEDIUM_FROM {
            Self::PersonSmall
        } else if amount <= MEDIUM_TO {
            Self::PersonMedium
        } else {
            Self::PersonLarge
        }
    }

    /// The amounts of this kind: the least, and the greatest if there is one,
    /// both inclusive.
    #[must_use]
    pub const fn amounts(self) -> (Qirat, Option<Qirat>) {
        match self {
            Self::PersonSmall => (Qirat::ZERO, Some(Qirat(MEDIUM_FROM.0 - 1))),
            Self::PersonMedium => (MEDIUM_FROM, Some(MEDIUM_TO)),
            Self::PersonLarge => (Qirat(MEDIUM_TO.0 + 1), None),
            Self::Merchant | Self::Government | Self::Business => (Qirat::ZERO, None),
        }
    }
}

/// One row of the fee schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeRate {
    /// What it is for.
    pub kind: FeeKind,
    /// The least amount of the kind, inclusive.
    pub from: Qirat,
    /// The greatest amount of the kind, inclusive; `None` if there is none.
    pub to: Option<Qirat>,
    /// Basis points between accounts of one country.
    pub local_basis_points: u32,
    /// Basis points between accounts of two countries.
    pub cross_basis_points: u32,
}

/// What a transfer costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// What the sender pays on top of the amount.
    pub fee: Qirat,
    /// The rate that was applied; 0 where exempt.
    pub basis_points: u32,
    /// What it was charged as; `None` where exempt.
    pub kind: Option<FeeKind>,
    /// Whether the two accounts are of different countries.
    pub cross_border: bool,
}

/// The rates in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeTable {
    rates: [FeeRate; 6],
}

impl FeeTable {
    /// The table by the parameters' values; `value` gets a parameter's key.
    ///
    /// # Errors
    /// The first error of `value`.
    pub fn load<E>(mut value: impl FnMut(&str) -> Result<u64, E>) -> Result<Self, E> {
        let mut table = Self::default();
        for rate in &mut table.rates {
            rate.local_basis_points = basis_points(value(&parameter_key(rate.kind, false))?);
            rate.cross_basis_points = basis_points(value(&parameter_key(rate.kind, true))?);
        }
        Ok(table)
    }

    /// What a transfer of `amount` costs, each side given by type and country
    /// (alpha-2). The same sides and rates always cost the same.
    #[must_use]
    pub fn quote(
        &self,
        amount: Qirat,
        sender: (AccountType, &str),
        receiver: (AccountType, &str),
    ) -> Quote {
        let kind = FeeKind::of(amount, sender.0, receiver.0);
        let cross_border = sender.1 != receiver.1;
        let basis_points = kind.map_or(0, |kind| self.basis_points(kind, cross_border));
        // Rates are at most 10,000, so the part is at most the amount.
        let fee = amount.checked_basis_points(basis_points).unwrap_or(amount);
        Quote {
            fee,
            basis_points,
            kind,
            cross_border,
        }
    }

    /// The rows of the fee schedule in its order.
    pub fn rates(&self) -> impl Iterator<Item = FeeRate> + '_ {
        self.rates.iter().copied()
    }

    fn basis_points(&self, kind: FeeKind, cross_border: bool) -> u32 {
        let rate = &self.rates[kind as usize];
        if cross_border {
            rate.cross_basis_points
        } else {
            rate.local_basis_points
        }
    }
}

impl Default for FeeTable {
    /// The rates that Bootstrap writes.
    fn default() -> Self {
        Self {
            rates: FeeKind::ALL.map(default_rate),
        }
    }
}

/// The keys of all parameters that a [`FeeTable`] is loaded from.
pub fn parameter_keys() -> impl Iterator<Item = String> {
    FeeKind::ALL
        .into_iter()
        .flat_map(|kind| [false, true].map(|cross_border| parameter_key(kind, cross_border)))
}

fn default_rate(kind: FeeKind) -> FeeRate {
    let (from, to) = kind.amounts();
    FeeRate {
        kind,
        from,
        to,
        local_basis_points: basis_points(params::default(&parameter_key(kind, false))),
        cross_basis_points: basis_points(params::default(&parameter_key(kind, true))),
    }
}

fn parameter_key(kind: FeeKind, cross_border: bool) -> String {
    let border = if cross_border { "cross" } else { "local" };
    format!("fee.{}.{border}", kind.word())
}

/// A parameter's value as a rate; what is beyond the whole amount counts as it.
fn basis_points(value: u64) -> u32 {
    u32::try_from(value).map_or(10_000, |rate| rate.min(10_000))
}

#[cfg(test)]
mod tests {
    use AccountType::{Business, Government, Ngo, Person, System, Treasury};

    use super::*;
    use crate::params::PARAMETERS;

    /// Amount, sender, receiver, what is charged locally and across a border.
    #[test]
    fn schedule_is_the_domain_s() {
        let cases = [
            (2_999_999, Person, Person, 0, 4_499),
            (3_000_000, Person, Person, 1_500, 4_500),
            (100_000_000, Person, Person, 50_000, 150_000),
            (100_000_001, Person, Person, 100_000, 250_000),
            (1_000_000, Ngo, Person, 0, 1_500),
            (1_000_000, Business, Person, 0, 1_500),
            (1_000_000, Business, Ngo, 0, 1_500),
            (1_000_000, Person, Business, 1_500, 3_000),
            (1_000_000, Ngo, Business, 1_500, 3_000),
            (1_000_000, Person, Government, 1_000, 2_000),
            (1_000_000, Government, Business, 1_000, 2_000),
            (1_000_000, Business, Business, 2_000, 4_000),
            (1_000_000, Person, System, 0, 0),
            (1_000_000, Treasury, Government, 0, 0),
        ];
        for (amount, sender, receiver, local, cross) in cases {
            let fee = |country| {
                let table = FeeTable::default();
                table
                    .quote(Qirat(amount), (sender, "DE"), (receiver, country))
                    .fee
            };
            assert_eq!(fee("DE"), Qirat(local), "{amount} {sender:?} {receiver:?}");
            assert_eq!(fee("FR"), Qirat(cross), "{amount} {sender:?} {receiver:?}");
        }
    }

    #[test]
    fn every_rate_has_its_parameter() {
        for key in parameter_keys() {
            assert!(params::find(&key).is_some(), "{key}");
        }
        let fees = PARAMETERS.iter().filter(|row| row.key.starts_with("fee."));
        assert_eq!(fees.count(), parameter_keys().count());
    }

    #[test]
    fn kinds_stand_at_their_places() {
        for (place, rate) in FeeTable::default().rates().enumerate() {
            assert_eq!(rate.kind as usize, place);
            let (sender, receiver) = match rate.kind {
                FeeKind::Merchant => (Person, Business),
                FeeKind::Government => (Person, Government),
                FeeKind::Business => (Business, Business),
                _ => (Person, Person),
            };
            for amount in [Some(rate.from), rate.to].into_iter().flatten() {
                assert_eq!(FeeKind::of(amount, sender, receiver), Some(rate.kind));
            }
        }
    }

    #[test]
    fn table_is_loaded_from_parameters() {
        let table = FeeTable::load(|key| match key {
            "fee.merchant.cross" => Ok(500),
            other => Err(other.to_owned()),
        });
        assert_eq!(table, Err("fee.person_small.local".to_owned()));
        let table = FeeTable::load(|key| Ok::<_, ()>(params::default(key) + 1)).expect("loaded");
        let rate = table.rates().next().expect("six rates");
        assert_eq!((rate.local_basis_points, rate.cross_basis_points), (1, 16));
    }
}
