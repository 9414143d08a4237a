//! The contract: which one answers, and whether the organizations endorse for us.

use gx_contract::{
    RULES_VERSIONS,
    lane::{LaneDomain, LaneName, STAFF_LANE, SYSTEM_LANE},
};
use gx_fabric::{Ledger, LedgerError, client::FabricLedger};
use gx_proto::gx::contract::v1::{
    Batch, BatchRefusal, Command, ContractInfo, LaneCursor, Query, QueryContract, QueryLane,
    StateDatabase, Void, command::Body, query, query_result,
};

use super::Check;
use crate::id;

/// The contract refuses batches that are further ahead of its clock.
const SKEW_MS_MAX: i64 = 60_000;
/// Clocks that are further apart are told.
const SKEW_MS_TOLD: i64 = 5_000;

/// Which contract answers, and who runs it.
pub(super) async fn contract(client: &FabricLedger, now_ms: i64) -> Vec<Check> {
    let what = format!("chaincode {}", client.chaincode());
    let asked = query::Query::Contract(QueryContract {});
    match ask(client, asked).await {
        Ok(query_result::Result::Contract(contract)) => {
            vec![
                version(what, &contract),
                rules(&contract),
                operations(&contract),
                state_database(&contract),
                clock(&contract, now_ms),
            ]
        }
        Ok(_) => vec![Check::failed(what, "answers another question")],
        Err(error) => vec![Check::failed(what, error.to_string())],
    }
}

fn version(what: String, contract: &ContractInfo) -> Check {
    let own = gx_contract::VERSION;
    match contract.version.as_str() {
        same if same == own => Check::ok(what, format!("version {own}")),
        other => Check::warning(what, format!("version {other}, this program is {own}")),
    }
}

fn rules(contract: &ContractInfo) -> Check {
    let in_force = contract.rules_version;
    let known = contract.rules_version_min..=contract.rules_version_max;
    let seen = format!("version {in_force} is in force, the contract knows {known:?}");
    if !known.contains(&in_force) {
        Check::failed("rules", seen)
    } else if !RULES_VERSIONS.contains(&in_force) {
        Check::failed("rules", format!("{seen}, this program {RULES_VERSIONS:?}"))
    } else {
        Check::ok("rules", seen)
    }
}

fn operations(contract: &ContractInfo) -> Check {
    let what = "batched operations";
    match contract.batched_operations {
        true => Check::ok(what, "offered by the peer"),
        false => Check::warning(
            what,
            "not offered by the peer: endorsing is many times slower",
        ),
    }
}

fn state_database(contract: &ContractInfo) -> Check {
    let what = "state database";
    match contract.state_database() {
        StateDatabase::LevelDb => Check::ok(what, "LevelDB"),
        StateDatabase::CouchDb => Check::ok(what, "CouchDB"),
        StateDatabase::Unspecified => Check::warning(what, "not told by the peer"),
    }
}

fn clock(contract: &ContractInfo, now_ms: i64) -> Check {
    let ahead_ms = now_ms.saturating_sub(contract.time_ms);
    let seen = format!("this clock is {ahead_ms} ms ahead of the contract's");
    match ahead_ms {
        far if far > SKEW_MS_MAX => Check::failed("clock", format!("{seen}: it refuses batches")),
        apart if apart.abs() > SKEW_MS_TOLD => Check::warning("clock", seen),
        _ => Check::ok("clock", seen),
    }
}

/// Has a batch endorsed for each identity that is given, and never submits it: one
/// command that would take a number in place of none that anybody has sent.
pub(super) async fn endorsements(client: &FabricLedger) -> Vec<Check> {
    let lanes = [
        ("partner", LaneName::new(LaneDomain::Partner, 0)),
        ("admin", STAFF_LANE),
        ("super_admin", SYSTEM_LANE),
    ];
    let given: Vec<_> = client.identities().named().map(|(name, _)| name).collect();
    let mut checks = Vec::new();
    for (name, lane) in lanes.into_iter().filter(|(name, _)| given.contains(name)) {
        checks.push(endorsement(client, name, lane).await);
    }
    checks
}

async fn endorsement(client: &FabricLedger, name: &str, lane: LaneName) -> Check {
    let what = format!("endorsement for {name}");
    let asked = query::Query::Lane(QueryLane {
        lane: Some(lane.into()),
        msp_id: client.msp_id().to_owned(),
    });
    let cursor = match ask(client, asked).await {
        Ok(query_result::Result::Lane(cursor)) => cursor,
        Ok(_) => return Check::failed(what, "the contract answers another question"),
        Err(error) => return Check::failed(what, error.to_string()),
    };
    match client.endorse(&probe(lane, &cursor)).await {
        Ok(_) => Check::ok(what, format!("{lane} at number {}", cursor.number)),
        Err(LedgerError::BatchRefused(refused)) => match refused.reason() {
            // Somebody moved the lane meanwhile: the contract ran everywhere.
            BatchRefusal::LaneCursor => Check::ok(what, format!("{lane} is moving")),
            BatchRefusal::Lane if cursor.number == 0 => {
                Check::warning(what, format!("{lane} does not exist before `gx bootstrap`"))
            }
            reason => Check::failed(what, format!("{lane}: {}", reason.as_str_name())),
        },
        Err(error) => Check::failed(what, error.to_string()),
    }
}

fn probe(lane: LaneName, cursor: &LaneCursor) -> Batch {
    let command = Command {
        id: id::random_bytes::<16>().to_vec().into(),
        request_digest: vec![0; 32].into(),
        body: Some(Body::Void(Void {})),
    };
    Batch {
        lane: Some(lane.into()),
        first_sequence: cursor.number + 1,
        previous_digest: cursor.digest.clone(),
        rules_version: u32::try_from(*RULES_VERSIONS.end()).unwrap_or(0),
        commands: vec![command],
        credits: Vec::new(),
    }
}

/// Asks the contract.
pub(super) async fn ask(
    client: &FabricLedger,
    question: query::Query,
) -> Result<query_result::Result, LedgerError> {
    let query = Query {
        query: Some(question),
    };
    let answer = client.query(&query).await?;
    let none = || LedgerError::internal("the contract answers nothing");
    answer.result.ok_or_else(none)
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, *};

    fn info() -> ContractInfo {
        ContractInfo {
            version: gx_contract::VERSION.to_owned(),
            rules_version: 1,
            rules_version_min: 1,
            rules_version_max: 1,
            batched_operations: true,
            time_ms: 1_000_000,
            state_database: StateDatabase::CouchDb.into(),
        }
    }

    #[test]
    fn clocks_may_be_a_minute_apart_and_are_told_before() {
        let verdicts =
            [1_000_000, 1_006_000, 1_061_000, 900_000].map(|now_ms| clock(&info(), now_ms).verdict);
        use Verdict::{Failed, Ok, Warning};
        assert_eq!(verdicts, [Ok, Warning, Failed, Warning]);
    }

    #[test]
    fn rules_that_either_side_does_not_know_fail() {
        assert_eq!(rules(&info()).verdict, Verdict::Ok);
        let other = |in_force, known| ContractInfo {
            rules_version: in_force,
            rules_version_max: known,
            ..info()
        };
        assert_eq!(rules(&other(2, 1)).verdict, Verdict::Failed);
        assert_eq!(rules(&other(2, 2)).verdict, Verdict::Failed);
    }

    #[test]
    fn an_older_contract_or_a_slow_peer_is_told() {
        let older = ContractInfo {
            version: "0.0.1".to_owned(),
            batched_operations: false,
            state_database: 0,
            ..info()
        };
        assert_eq!(
            version("chaincode".to_owned(), &older).verdict,
            Verdict::Warning
        );
        assert_eq!(operations(&older).verdict, Verdict::Warning);
        assert_eq!(state_database(&older).verdict, Verdict::Warning);
        let seen = state_database(&info());
        assert_eq!((seen.verdict, seen.seen.as_str()), (Verdict::Ok, "CouchDB"));
    }
}
