//! `GetFeeSchedule`: the fees in force.

use gx_contract::fees::{self, FeeTable};
use gx_proto::gx::tokenomics::v1::{FeeKind, FeeRate, GetFeeScheduleResponse};

/// What is exempt, then the rows of the ledger's own table.
pub(super) fn handle() -> GetFeeScheduleResponse {
    let exempt = FeeRate {
        kind: FeeKind::Exempt.into(),
        ..FeeRate::default()
    };
    let table = FeeTable::default();
    GetFeeScheduleResponse {
        rates: std::iter::once(exempt)
            .chain(table.rates().map(rate))
            .collect(),
    }
}

fn rate(rate: fees::FeeRate) -> FeeRate {
    FeeRate {
        kind: kind(rate.kind).into(),
        from_qirat: rate.from.get(),
        to_qirat: rate.to.map_or(0, u64::from),
        local_basis_points: rate.local_basis_points,
        cross_border_basis_points: rate.cross_basis_points,
    }
}

/// Between people the ledger has a kind a band.
fn kind(kind: fees::FeeKind) -> FeeKind {
    match kind {
        fees::FeeKind::PersonSmall | fees::FeeKind::PersonMedium | fees::FeeKind::PersonLarge => {
            FeeKind::PersonToPerson
        }
        fees::FeeKind::Merchant => FeeKind::Merchant,
        fees::FeeKind::Government => FeeKind::Government,
        fees::FeeKind::Business => FeeKind::BusinessToBusiness,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_between_people_follow_each_other_without_a_gap() {
        let rates = handle().rates;
        let people: Vec<_> = rates
            .iter()
            .filter(|rate| rate.kind() == FeeKind::PersonToPerson)
            .collect();
        assert_eq!(people.len(), 3);
        assert!(
            people
                .windows(2)
                .all(|two| two[0].to_qirat + 1 == two[1].from_qirat)
        );
        assert_eq!((people[0].from_qirat, people[2].to_qirat), (0, 0));
    }

    #[test]
    fn every_kind_has_a_rate() {
        let rates = handle().rates;
        let kinds: Vec<_> = rates.iter().map(|rate| rate.kind().as_str_name()).collect();
        assert_eq!(
            kinds,
            [
                "FEE_KIND_EXEMPT",
                "FEE_KIND_PERSON_TO_PERSON",
                "FEE_KIND_PERSON_TO_PERSON",
                "FEE_KIND_PERSON_TO_PERSON",
                "FEE_KIND_MERCHANT",
                "FEE_KIND_GOVERNMENT",
                "FEE_KIND_BUSINESS_TO_BUSINESS",
            ]
        );
    }
}
