//! What stands in the audit log after calls that no handler records.

use crate::audit::tests::lines;

use super::*;

#[tokio::test]
async fn a_users_read_is_recorded_behind_the_answer() {
    let mut server = Server::start().await;
    server.get("user", "").await.unwrap();
    let taken = server.trail.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!((taken[0].action, taken[0].outcome.as_str()), (GET, "OK"));
    assert_eq!(taken[0].actor, Some(UserId(Uuid::from_u128(7))));
    assert!(lines(&server.store).await.is_empty());
}

#[tokio::test]
async fn an_auditors_read_is_recorded_before_the_answer() {
    let mut server = Server::start().await;
    server.get("auditor", "1").await.unwrap();
    assert!(server.trail.taken().is_empty());
    let lines = lines(&server.store).await;
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (lines[0].action.as_str(), lines[0].outcome.as_str()),
        (GET, "OK")
    );
    assert_eq!(lines[0].subject, "operations/1");
}

#[tokio::test]
async fn refusals_name_what_they_are_about_once_a_handler_said_it() {
    let mut server = Server::start().await;
    for role in ["", "auditor", "user"] {
        server.refused(role, "missing").await;
    }
    let taken = server.trail.taken().into_iter();
    let subjects: Vec<_> = taken.map(|line| line.subject).collect();
    assert_eq!(subjects, ["", "operations/missing", "operations/missing"]);
}

#[tokio::test]
async fn refusals_and_faults_are_recorded_and_shed_calls_are_not() {
    let mut server = Server::with(|limits| {
        (limits.caller_per_s, limits.caller_burst) = (1, 3);
    })
    .await;
    for (role, name) in [
        ("", ""),
        ("partner", ""),
        ("user", "missing"),
        ("user", "panic"),
    ] {
        server.refused(role, name).await;
    }
    server.get("user", "").await.unwrap();
    server.refused("user", "").await;
    let outcomes: Vec<_> = server
        .trail
        .taken()
        .into_iter()
        .map(|line| line.outcome)
        .collect();
    assert_eq!(
        outcomes,
        [
            "TOKEN_MISSING",
            "ROLE_MISSING",
            "NOT_FOUND",
            "INTERNAL",
            "OK"
        ]
    );
}
