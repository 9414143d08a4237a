//! `GetGenesisProgress`: how many people have got how much, a phase.

use gx_contract::genesis::{PHASES, Phase};
use gx_proto::gx::tokenomics::v1::{GetGenesisProgressResponse, PhaseProgress};

use super::query;
use crate::{app::App, cache::OfBlock, error::Result, moment::Moment};

impl OfBlock for GetGenesisProgressResponse {
    fn as_of_block(&self) -> u64 {
        self.as_of_block
    }
}

/// The progress at the latest block, `min_block` or later.
pub(super) async fn handle(app: &App, min_block: u64) -> Result<GetGenesisProgressResponse> {
    let read = read(app, min_block);
    let name = "genesis-progress";
    app.answers.of_latest(name, min_block, read).await
}

async fn read(app: &App, min_block: u64) -> Result<GetGenesisProgressResponse> {
    let moment = Moment::of_all(app, min_block).await?;
    let left = query::slots_left(&moment.tx).await?;
    let phases = (1..).zip(PHASES.iter().zip(left));
    Ok(GetGenesisProgressResponse {
        phases: phases
            .map(|(number, phase)| progress(number, phase))
            .collect(),
        as_of_block: moment.as_of_block,
    })
}

/// Everybody in a phase gets the same, so what was granted follows from how many there
/// were.
fn progress(number: u32, (phase, left): (&Phase, u64)) -> PhaseProgress {
    let taken = phase.people.saturating_sub(left);
    PhaseProgress {
        phase: number,
        slots: phase.people,
        taken,
        granted_qirat: taken * phase.grant.get(),
        treasury_granted_qirat: taken * phase.treasury.get(),
    }
}

#[cfg(test)]
mod tests {
    use gx_contract::{
        account::{GOVT_GENESIS_POOL, POOLS, USER_GENESIS_POOL},
        genesis::PHASE_COUNT,
    };

    use super::*;
    use crate::{
        fixture,
        tokenomics::{
            list_countries::tests::{created, load},
            projection::accounts_created_in,
        },
    };

    async fn make(app: &App, country: &str, phases: &[u32]) {
        let tx = app.store.begin().await.unwrap();
        let made: Vec<_> = phases
            .iter()
            .map(|phase| created(country, *phase))
            .collect();
        accounts_created_in(&tx, &made).await.unwrap();
        tx.commit().await.unwrap();
    }

    #[tokio::test]
    async fn grants_of_all_countries_count_in_their_phase() {
        let app = fixture::app().await;
        load(&app).await;
        make(&app, "AD", &[1, 1, 0]).await;
        make(&app, "KE", &[1, 2]).await;
        fixture::apply_all(&app, 3).await;
        let told = handle(&app, 0).await.unwrap();
        assert_eq!(told.as_of_block, 3);
        let taken: Vec<_> = told.phases.iter().map(|phase| phase.taken).collect();
        assert_eq!(taken, [3, 1, 0, 0, 0, 0]);
        assert_eq!(told.phases[0].granted_qirat, 3 * 500_000_000);
        assert_eq!(told.phases[1].treasury_granted_qirat, 50_000_000);
    }

    #[tokio::test]
    async fn nothing_is_taken_before_countries_are_loaded_and_right_behind() {
        let app = fixture::app().await;
        let nothing = async || {
            let told = handle(&app, 0).await.unwrap();
            let untouched = |phase: &PhaseProgress| (phase.taken, phase.granted_qirat) == (0, 0);
            assert_eq!(told.phases.len(), PHASE_COUNT);
            assert!(told.phases.iter().all(untouched), "{told:?}");
        };
        nothing().await;
        load(&app).await;
        nothing().await;
    }

    #[test]
    fn all_phases_together_grant_what_the_genesis_pools_hold() {
        let whole = (1..).zip(PHASES.iter());
        let whole: Vec<_> = whole
            .map(|(number, phase)| progress(number, (phase, 0)))
            .collect();
        let pool = |name| {
            POOLS
                .iter()
                .find(|pool| pool.name == name)
                .unwrap()
                .supply
                .get()
        };
        let people: u64 = whole.iter().map(|phase| phase.granted_qirat).sum();
        let treasuries: u64 = whole.iter().map(|phase| phase.treasury_granted_qirat).sum();
        assert_eq!(people, pool(USER_GENESIS_POOL));
        assert_eq!(treasuries, pool(GOVT_GENESIS_POOL));
    }
}
