//! Who may do what: every method by every kind of caller. What is written here is
//! the interface's word, not a record of what the server does.

mod calls;
pub(crate) mod world;

use std::collections::{BTreeMap, BTreeSet};

use gx_server::auth::policy;
use prost_reflect::DescriptorPool;
use tonic::{Code, Status};

use crate::harness::{Database, Refusal};
use world::{Who, World};

/// A column a caller: nobody signed in; a USER with an own row; a USER with the row
/// of another; and those with one of the other roles, with the USER's row.
///
/// `ok`: done. `token`: nobody is signed in. `role`: such a caller never may.
/// `none`: there is no such thing, as far as this caller is told. `-`: nothing
/// belongs to anybody here. A method that writes leaves a trace in the database
/// where it is `ok`; every other cell changes nothing.
const RIGHTS: &str = "
method                                 does   nobody USER  another PARTNER AUDITOR ADMIN SUPER_ADMIN
identity   StartRegistration           writes ok     ok    -       ok      ok      ok    ok
identity   VerifyContact               writes ok     ok    -       ok      ok      ok    ok
identity   CompleteRegistration        writes ok     ok    -       ok      ok      ok    ok
identity   Login                       writes ok     ok    -       ok      ok      ok    ok
identity   ListPublicKeys              reads  ok     ok    -       ok      ok      ok    ok
identity   RefreshSession              writes ok     ok    -       ok      ok      ok    ok
identity   Logout                      writes token  ok    -       ok      ok      ok    ok
identity   ListSessions                reads  token  ok    -       ok      ok      ok    ok
identity   RevokeSession               writes token  ok    none    none    none    none  none
identity   ChangePassword              writes token  ok    -       ok      ok      ok    ok
identity   GetMe                       reads  token  ok    -       ok      ok      ok    ok
identity   UploadDocument              writes token  ok    -       role    role    role  role
identity   DownloadDocument            reads  token  ok    none    role    ok      ok    ok
identity   SubmitVerification          writes token  ok    none    role    role    role  role
identity   GetVerification             reads  token  ok    none    role    ok      ok    ok
identity   ListVerifications           reads  token  ok    -       role    ok      ok    ok
identity   ApproveVerification         writes token  role  role    role    role    ok    ok
identity   DenyVerification            writes token  role  role    role    role    ok    ok
identity   BindAccount                 writes token  role  role    role    role    ok    ok
wallet     GetWallet                   reads  token  ok    none    role    ok      ok    ok
wallet     ListEntries                 reads  token  ok    none    role    ok      ok    ok
wallet     QuoteTransfer               reads  token  ok    none    role    role    role  role
wallet     Transfer                    writes token  ok    none    role    role    role  role
wallet     BatchTransfer               writes token  ok    none    role    role    role  role
wallet     GetEntry                    reads  token  ok    none    role    ok      ok    ok
wallet     WatchWallet                 reads  token  ok    none    role    ok      ok    ok
wallet     ResolveAccount              reads  token  ok    -       role    ok      ok    ok
operation  GetOperation                reads  token  ok    none    role    ok      ok    ok
operation  ListOperations              reads  token  ok    -       role    ok      ok    ok
operation  WaitOperation               reads  token  ok    none    role    ok      ok    ok
operation  WatchOperation              reads  token  ok    none    role    ok      ok    ok
tokenomics GetSupply                   reads  ok     ok    -       ok      ok      ok    ok
tokenomics ListCountries               reads  ok     ok    -       ok      ok      ok    ok
tokenomics GetFeeSchedule              reads  ok     ok    -       ok      ok      ok    ok
tokenomics GetGenesisSchedule          reads  ok     ok    -       ok      ok      ok    ok
tokenomics GetCountry                  reads  ok     ok    -       ok      ok      ok    ok
tokenomics ListPools                   reads  ok     ok    -       ok      ok      ok    ok
tokenomics GetGenesisProgress          reads  ok     ok    -       ok      ok      ok    ok
ledger     GetLedger                   reads  token  ok    -       ok      ok      ok    ok
ledger     GetBlock                    reads  token  ok    -       ok      ok      ok    ok
ledger     ListBlocks                  reads  token  ok    -       ok      ok      ok    ok
ledger     GetTransaction              reads  token  ok    -       ok      ok      ok    ok
ledger     StreamBlocks                reads  token  ok    -       ok      ok      ok    ok
";

/// The columns of the table.
const CALLERS: [Who; 7] = [
    Who::Nobody,
    Who::Owner,
    Who::Stranger,
    Who::Partner,
    Who::Auditor,
    Who::Admin,
    Who::SuperAdmin,
];

/// One row of the table.
struct Right {
    service: &'static str,
    method: &'static str,
    writes: bool,
    cells: Vec<&'static str>,
}

fn rights() -> Vec<Right> {
    let rows = RIGHTS.lines().skip(2).map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words.len(), 3 + CALLERS.len(), "{line}");
        Right {
            service: words[0],
            method: words[1],
            writes: words[2] == "writes",
            cells: words[3..].to_vec(),
        }
    });
    rows.collect()
}

impl Right {
    fn path(&self) -> String {
        let (package, method) = (self.service, self.method);
        let (first, rest) = package.split_at(1);
        let service = format!("{}{rest}Service", first.to_uppercase());
        format!("/gx.{package}.v1.{service}/{method}")
    }
}

#[test]
fn every_method_has_a_row_here_and_a_rule_in_the_policy() {
    let pool = DescriptorPool::decode(gx_proto::FILE_DESCRIPTOR_SET).unwrap();
    let methods: BTreeSet<_> = pool
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .map(|method| format!("/{}/{}", method.parent_service().full_name(), method.name()))
        .collect();
    assert!(methods.len() >= 24, "{methods:?}");
    let tested: BTreeSet<_> = rights().iter().map(Right::path).collect();
    assert_eq!(methods, tested, "of the interface and of this table");
    let ruled: BTreeSet<_> = policy::RULES
        .iter()
        .map(|rule| rule.method.to_owned())
        .collect();
    assert_eq!(methods, ruled, "of the interface and of the policy");
    assert_eq!(policy::RULES.len(), ruled.len(), "one rule a method");
}

#[tokio::test]
async fn everybody_may_do_what_the_interface_says_and_no_more_on_sqlite() {
    everybody_may_do_what_the_interface_says_and_no_more(Database::Sqlite).await;
}

#[tokio::test]
async fn everybody_may_do_what_the_interface_says_and_no_more_on_six_processes() {
    everybody_may_do_what_the_interface_says_and_no_more(Database::PostgresApart).await;
}

async fn everybody_may_do_what_the_interface_says_and_no_more(database: Database) {
    let world = World::new(database).await;
    let mut faults = Vec::new();
    for right in rights() {
        for (who, expected) in CALLERS.into_iter().zip(&right.cells) {
            if *expected == "-" {
                continue;
            }
            if let Err(fault) = check(&world, &right, who, expected).await {
                faults.push(format!("{} by {who:?}: {fault}", right.method));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Makes the call of one cell.
async fn check(world: &World, right: &Right, who: Who, expected: &str) -> Result<(), String> {
    let (client, rows) = world.arrange(right.method, who).await;
    let before = world.gx.image().await;
    let told = calls::call(client, right.method, &rows).await;
    world.quiet().await;
    let changed = before.changed(&world.gx.image().await);
    let told = told.as_ref().err().map(Refusal::of);
    let told = told.as_ref().map(Refusal::told);
    let wanted = match expected {
        "ok" => None,
        "token" => Some((Code::Unauthenticated, "TOKEN_MISSING")),
        "role" => Some((Code::PermissionDenied, "ROLE_MISSING")),
        "none" => Some((Code::NotFound, "NOT_FOUND")),
        other => panic!("no such word: {other}"),
    };
    if told != wanted {
        return Err(format!("expected {wanted:?}, was told {told:?}"));
    }
    if changed.is_empty() == (right.writes && wanted.is_none()) {
        return Err(format!("changed {changed:?}"));
    }
    Ok(())
}

/// The table has no column for them: what they may follows from both their roles.
#[tokio::test]
async fn a_person_who_is_staff_too_decides_about_others_alone() {
    let world = World::new(Database::Sqlite).await;
    let (both, own) = world.person_and_admin().await;
    let others = world.gx.application("DE").await.verification;
    for method in ["ApproveVerification", "DenyVerification", "BindAccount"] {
        let before = world.gx.image().await;
        let refused = calls::call(both.clone(), method, &own).await;
        let told = Refusal::of(&refused.expect_err(method));
        let wanted = (Code::PermissionDenied, "OWN_VERIFICATION");
        assert_eq!(told.told(), wanted, "{method}");
        assert!(before.changed(&world.gx.image().await).is_empty());
    }
    let others = world::Rows {
        verification: others,
        ..own
    };
    calls::call(both, "DenyVerification", &others)
        .await
        .expect("denied");
}

#[tokio::test]
async fn what_belongs_to_another_looks_like_what_is_not_there_on_sqlite() {
    what_belongs_to_another_looks_like_what_is_not_there(Database::Sqlite).await;
}

#[tokio::test]
async fn what_belongs_to_another_looks_like_what_is_not_there_on_six_processes() {
    what_belongs_to_another_looks_like_what_is_not_there(Database::PostgresApart).await;
}

async fn what_belongs_to_another_looks_like_what_is_not_there(database: Database) {
    let world = World::new(database).await;
    let foreign = rights()
        .into_iter()
        .filter(|right| right.cells.contains(&"none"));
    let mut seen = 0;
    for right in foreign {
        let (client, rows) = world.arrange(right.method, Who::Stranger).await;
        let missing = world.missing(&rows);
        let told = async |rows| {
            let refused: Result<(), Status> = calls::call(client.clone(), right.method, rows).await;
            Refusal::of(&refused.expect_err("refused"))
        };
        let names = BTreeMap::from_iter(missing.names().into_iter().zip(rows.names()));
        let (foreign, mut nobody_s) = (told(&rows).await, told(&missing).await);
        for (missing, foreign) in names {
            nobody_s.message = nobody_s.message.replace(&missing, &foreign);
            for value in nobody_s.metadata.values_mut() {
                *value = value.replace(&missing, &foreign);
            }
        }
        assert_eq!(foreign, nobody_s, "{}", right.method);
        seen += 1;
    }
    assert_eq!(seen, 14);
}
