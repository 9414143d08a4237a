//! What a login promises.

use gx_proto::gx::{
    common::v1::Reason,
    identity::v1::{Role, UserStatus},
};
use metrics_exporter_prometheus::PrometheusBuilder;
use sea_orm::{EntityTrait, QueryOrder};

use super::*;
use crate::{
    audit::entity::line,
    identity::{
        entity::{login_failure, login_network},
        harness::{CONTACT, Harness, PASSWORD, reason, violations},
    },
};

const LOCK_MS: i64 = 900_000;

async fn fail(harness: &Harness, contact: &str, times: usize) {
    for _ in 0..times {
        let answer = harness.login(contact, "a wrong password").await;
        assert_eq!(reason(answer), Some(Reason::CredentialsWrong));
    }
}

#[tokio::test]
async fn the_token_names_the_user_with_the_roles_of_the_record() {
    let harness = Harness::new().await;
    let user = harness.register(CONTACT).await;
    let answer = harness
        .login(" Person@Example.org", PASSWORD)
        .await
        .unwrap();
    let caller = harness.caller(&answer.access_token).await.unwrap();
    assert_eq!(format!("users/{}", caller.user.0), user.name);
    assert_eq!(caller.roles, [Role::User]);
    assert_eq!(answer.user, Some(user));
}

#[tokio::test]
async fn a_token_ends_after_fifteen_minutes() {
    let harness = Harness::new().await;
    harness.register(CONTACT).await;
    let token = harness.login(CONTACT, PASSWORD).await.unwrap().access_token;
    harness.clock.advance_ms(899_999);
    assert!(harness.caller(&token).await.is_ok());
    harness.clock.advance_ms(1);
    let answer = harness.caller(&token).await;
    assert_eq!(reason(answer), Some(Reason::TokenExpired));
}

#[tokio::test]
async fn ten_failures_lock_known_and_unknown_contacts_alike() {
    let harness = Harness::new().await;
    harness.register(CONTACT).await;
    for contact in [CONTACT, "nobody@example.org"] {
        fail(&harness, contact, 10).await;
        for password in [PASSWORD, "a wrong password"] {
            let error = harness.login(contact, password).await.unwrap_err();
            let Error::Rejected(rejected) = error else {
                panic!("{error}")
            };
            assert_eq!(rejected.reason, Reason::LoginLocked);
            assert_eq!(rejected.retry_after.unwrap().as_millis(), 900_000);
        }
    }
    harness.clock.advance_ms(LOCK_MS);
    assert!(harness.login(CONTACT, PASSWORD).await.is_ok());
    fail(&harness, "nobody@example.org", 1).await;
}

#[tokio::test]
async fn a_stranger_s_failures_lock_nobody_else() {
    let mut harness = Harness::new().await;
    harness.register(CONTACT).await;
    harness.context.client = "198.51.100.7".parse().unwrap();
    fail(&harness, CONTACT, 10).await;
    let answer = harness.login(CONTACT, PASSWORD).await;
    assert_eq!(reason(answer), Some(Reason::LoginLocked));
    harness.context.client = "192.0.2.1".parse().unwrap();
    assert!(harness.login(CONTACT, PASSWORD).await.is_ok());
}

#[tokio::test]
async fn what_is_remembered_of_logins_is_forgotten_in_time() {
    let harness = Harness::new().await;
    harness.register(CONTACT).await;
    harness.login(CONTACT, PASSWORD).await.unwrap();
    fail(&harness, "nobody@example.org", 1).await;
    for (days, networks) in [(2, 2), (90, 1)] {
        harness.clock.advance_ms(days * 24 * 60 * 60 * 1_000);
        fail(&harness, "another@example.org", 1).await;
        let db = harness.app.store.read();
        let rows = login_network::Entity::find().all(db).await.unwrap();
        assert_eq!(rows.len(), networks, "after {days} days");
        let rows = login_failure::Entity::find().all(db).await.unwrap();
        assert_eq!(rows.len(), 1, "after {days} days");
    }
}

#[tokio::test]
async fn success_resets_the_count_of_failures() {
    let harness = Harness::new().await;
    harness.register(CONTACT).await;
    for _ in 0..2 {
        fail(&harness, CONTACT, 9).await;
        assert!(harness.login(CONTACT, PASSWORD).await.is_ok());
    }
}

#[tokio::test]
async fn guesses_made_at_once_learn_no_more_than_ten() {
    let harness = Harness::new().await;
    harness.register(CONTACT).await;
    let guesses = (0..14).map(|_| harness.login(CONTACT, "a wrong password"));
    let answers = futures::future::join_all(guesses).await;
    let reasons: Vec<_> = answers.into_iter().filter_map(reason).collect();
    let told = |reason| reasons.iter().filter(|told| **told == reason).count();
    assert_eq!(told(Reason::CredentialsWrong), 10);
    assert_eq!(told(Reason::LoginLocked), 4);
}

/// The count is the metric's own.
#[tokio::test]
async fn every_path_takes_exactly_one_verification() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let rendered = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let harness = Harness::new().await;
    harness.register(CONTACT).await;
    harness.register("suspended@example.org").await;
    let suspended = UserStatus::Suspended;
    harness.set_status("suspended@example.org", suspended).await;
    fail(&harness, "locked@example.org", 10).await;

    for (contact, password, told) in [
        (CONTACT, PASSWORD, None),
        (CONTACT, "a wrong password", Some(Reason::CredentialsWrong)),
        (
            "nobody@example.org",
            PASSWORD,
            Some(Reason::CredentialsWrong),
        ),
        ("locked@example.org", PASSWORD, Some(Reason::LoginLocked)),
        ("suspended@example.org", PASSWORD, Some(Reason::UserStatus)),
        (
            "suspended@example.org",
            "a wrong one",
            Some(Reason::CredentialsWrong),
        ),
    ] {
        let before = verifications(&rendered.render());
        assert_eq!(reason(harness.login(contact, password).await), told);
        let after = verifications(&rendered.render());
        assert_eq!(after - before, 1, "{contact} {password}");
    }
}

fn verifications(metrics: &str) -> u64 {
    metrics
        .lines()
        .find_map(|line| line.strip_prefix("gx_password_verifications_total "))
        .map_or(0, |count| count.parse().unwrap())
}

#[tokio::test]
async fn who_may_log_in_follows_from_the_status() {
    use UserStatus::*;
    let harness = Harness::new().await;
    harness.register(CONTACT).await;
    for status in [
        Registered,
        PendingApproval,
        Approved,
        Active,
        Denied,
        Frozen,
    ] {
        harness.set_status(CONTACT, status).await;
        assert_eq!(reason(harness.login(CONTACT, PASSWORD).await), None);
    }
    for status in [Suspended, Closed] {
        harness.set_status(CONTACT, status).await;
        let answer = harness.login(CONTACT, PASSWORD).await;
        assert_eq!(reason(answer), Some(Reason::UserStatus));
    }
}

#[tokio::test]
async fn every_decision_stands_in_the_audit_log() {
    let harness = Harness::new().await;
    let user = harness.register(CONTACT).await.name;
    let before = lines(&harness).await.len();
    assert!(harness.login(CONTACT, PASSWORD).await.is_ok());
    fail(&harness, CONTACT, 1).await;
    fail(&harness, "nobody@example.org", 1).await;
    let told: Vec<_> = lines(&harness).await.split_off(before);
    assert_eq!(
        told,
        [
            (user.clone(), "OK".to_owned()),
            (user, "CREDENTIALS_WRONG".to_owned()),
            (String::new(), "CREDENTIALS_WRONG".to_owned()),
        ]
    );
}

/// Subjects and outcomes in the order of writing.
async fn lines(harness: &Harness) -> Vec<(String, String)> {
    let lines = line::Entity::find().order_by_asc(line::Column::Id);
    let lines = lines.all(harness.app.store.read()).await.unwrap();
    let lines = lines.into_iter();
    lines.map(|line| (line.subject, line.outcome)).collect()
}

#[tokio::test]
async fn foreign_issuers_and_audiences_are_refused() {
    let harness = Harness::new().await;
    harness.register(CONTACT).await;
    let token = harness.login(CONTACT, PASSWORD).await.unwrap().access_token;
    let (store, clock) = (harness.app.store.clone(), harness.app.clock.clone());
    for field in ["issuer", "audience"] {
        let mut config = harness.app.config.token.clone();
        match field {
            "issuer" => config.issuer = "another".to_owned(),
            _ => config.audience = "another".to_owned(),
        }
        let secrets = harness.app.secrets.clone();
        let other = crate::auth::Authenticator::new(store.clone(), clock.clone(), secrets, &config);
        let answer = other.caller(Some(&format!("Bearer {token}"))).await;
        assert_eq!(reason(answer), Some(Reason::TokenInvalid), "{field}");
    }
}

#[tokio::test]
async fn a_header_that_carries_no_token_says_so() {
    let harness = Harness::new().await;
    for (header, told) in [
        (None, Reason::TokenMissing),
        (Some(""), Reason::TokenMissing),
        (Some("Basic cm9vdA=="), Reason::TokenInvalid),
        (Some("Bearer"), Reason::TokenInvalid),
        (Some("Bearer x.y.z"), Reason::TokenInvalid),
    ] {
        let answer = harness.app.auth.caller(header).await;
        assert_eq!(reason(answer), Some(told), "{header:?}");
    }
}

#[tokio::test]
async fn all_violations_are_told_at_once() {
    let harness = Harness::new().await;
    let error = harness.login(" ", "").await.unwrap_err();
    assert_eq!(violations(error), ["contact", "password"]);
}
