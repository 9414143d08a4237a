//! `GetGenesisSchedule`: how many people get how much.

use gx_contract::genesis::PHASES;
use gx_proto::gx::tokenomics::v1::{GenesisPhase, GetGenesisScheduleResponse};

/// The phases of the ledger's own rules.
pub(super) fn handle() -> GetGenesisScheduleResponse {
    let phases = (1..).zip(PHASES).map(|(phase, rule)| GenesisPhase {
        phase,
        people: rule.people,
        grant_qirat: rule.grant.get(),
        treasury_qirat: rule.treasury.get(),
    });
    GetGenesisScheduleResponse {
        phases: phases.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_numbered_from_one_and_grants_fall() {
        let phases = handle().phases;
        let numbers: Vec<_> = phases.iter().map(|phase| phase.phase).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
        assert!(phases.is_sorted_by(|a, b| a.grant_qirat > b.grant_qirat));
        assert_eq!(phases[0].grant_qirat, 500_000_000);
    }
}
