//! Genesis grants: six phases, each divided among the countries, so that every
//! country walks its own six phases and none can take an early one whole.

use crate::amount::Qirat;
use crate::shares;

/// How many phases there are.
pub const PHASE_COUNT: usize = 6;

/// One phase of the genesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phase {
    /// How many people the phase has room for, the world over.
    pub people: u64,
    /// What each of them gets.
    pub grant: Qirat,
    /// What the treasury of the person's country gets for each.
    pub treasury: Qirat,
}

/// The phases in order. Afterwards nobody gets anything.
pub const PHASES: [Phase; PHASE_COUNT] = [
    phase(100, 500, 50),
    phase(200, 400, 50),
    phase(300, 300, 50),
    phase(400, 200, 50),
    phase(1_550, 100, 50),
    phase(2_450, 50, 10),
];

const fn phase(million_people: u64, grant_gx: u32, treasury_gx: u32) -> Phase {
    Phase {
        people: million_people * 1_000_000,
        grant: Qirat::from_gx(grant_gx),
        treasury: Qirat::from_gx(treasury_gx),
    }
}

/// The slots of every country in phases 1 to 6, by its share: largest remainder,
/// ties by alpha-2 code. Keeps the order of `shares`; no slot is lost where they
/// sum to more than 0, whatever they sum to.
#[must_use]
pub fn slots<'a>(shares: &[(&'a str, u32)]) -> Vec<(&'a str, [u64; PHASE_COUNT])> {
    let weights: Vec<_> = shares
        .iter()
        .map(|(country, share)| (*country, u64::from(*share)))
        .collect();
    let mut slots: Vec<_> = shares
        .iter()
        .map(|(country, _)| (*country, [0; PHASE_COUNT]))
        .collect();
    for (place, phase) in PHASES.iter().enumerate() {
        let parts = shares::divide(phase.people, &weights);
        for ((_, slots), part) in slots.iter_mut().zip(parts) {
            slots[place] = part;
        }
    }
    slots
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::account::{GOVT_GENESIS_POOL, POOLS, USER_GENESIS_POOL};
    use crate::countries;

    fn total(amount: impl Fn(&Phase) -> Qirat) -> Option<Qirat> {
        PHASES.iter().try_fold(Qirat::ZERO, |sum, phase| {
            sum.checked_add(amount(phase).checked_mul(phase.people)?)
        })
    }

    fn supply(pool: &str) -> Option<Qirat> {
        let pool = POOLS.iter().find(|candidate| candidate.name == pool)?;
        Some(pool.supply)
    }

    #[test]
    fn grants_are_exactly_what_the_pools_hold() {
        assert_eq!(
            total(|phase| phase.grant),
            Some(Qirat(577_500_000_000_000_000))
        );
        assert_eq!(
            total(|phase| phase.treasury),
            Some(Qirat(152_000_000_000_000_000))
        );
        assert_eq!(total(|phase| phase.grant), supply(USER_GENESIS_POOL));
        assert_eq!(total(|phase| phase.treasury), supply(GOVT_GENESIS_POOL));
    }

    fn assert_no_slot_lost(slots: &[(&str, [u64; PHASE_COUNT])]) {
        for (place, phase) in PHASES.iter().enumerate() {
            let sum: u64 = slots.iter().map(|(_, slots)| slots[place]).sum();
            assert_eq!(sum, phase.people, "phase {}", place + 1);
        }
    }

    #[test]
    fn no_slot_of_the_real_countries_is_lost() {
        assert_no_slot_lost(&slots(&countries::shares()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn no_slot_is_lost(shares in prop::collection::vec(0..countries::SHARES_TOTAL, 2..8)) {
            const CODES: [&str; 8] = ["AA", "AB", "AC", "AD", "AE", "AF", "AG", "AH"];
            let mut named: Vec<_> = CODES.into_iter().zip(shares).collect();
            named[0].1 += 1;
            assert_no_slot_lost(&slots(&named));
        }
    }
}
