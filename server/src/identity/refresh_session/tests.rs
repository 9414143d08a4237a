//! What an exchange of a refresh token promises.

use futures::future::join_all;
use gx_proto::gx::identity::v1::{LoginResponse, Role, UserStatus};
use sea_orm::{ActiveValue::Set, IntoActiveModel, QueryOrder};

use super::*;
use crate::{
    audit::entity::line,
    auth::roles,
    identity::harness::{CONTACT, Harness, PASSWORD, reason, violations},
};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

async fn refresh(
    harness: &Harness,
    refresh_token: &str,
    request: u128,
) -> Result<RefreshSessionResponse> {
    let message = RefreshSessionRequest {
        refresh_token: refresh_token.to_owned(),
        request_id: Uuid::from_u128(request).to_string(),
    };
    let exchange = RefreshSession::try_from(message)?;
    exchange.handle(&harness.app, &harness.context).await
}

async fn signed_in(harness: &Harness) -> LoginResponse {
    harness.register(CONTACT).await;
    harness.login(CONTACT, PASSWORD).await.unwrap()
}

async fn why<T>(answer: impl Future<Output = Result<T>>) -> Option<Reason> {
    reason(answer.await)
}

#[tokio::test]
async fn a_session_goes_on_by_its_refresh_tokens() {
    let harness = Harness::new().await;
    let first = signed_in(&harness).await;
    let caller = harness.caller(&first.access_token).await.unwrap();
    let mut token = first.refresh_token.clone();
    for request in 0..5 {
        harness.clock.advance_ms(16 * MINUTE_MS);
        assert_eq!(
            why(harness.caller(&first.access_token)).await,
            Some(Reason::TokenExpired)
        );
        let next = refresh(&harness, &token, request).await.unwrap();
        assert_ne!(next.refresh_token, token);
        assert_eq!(harness.caller(&next.access_token).await.unwrap(), caller);
        token = next.refresh_token;
    }
}

#[tokio::test]
async fn the_access_token_before_lasts_until_its_own_end() {
    let harness = Harness::new().await;
    let first = signed_in(&harness).await;
    harness.clock.advance_ms(14 * MINUTE_MS);
    let next = refresh(&harness, &first.refresh_token, 1).await.unwrap();
    assert!(harness.caller(&first.access_token).await.is_ok());
    harness.clock.advance_ms(2 * MINUTE_MS);
    assert_eq!(
        why(harness.caller(&first.access_token)).await,
        Some(Reason::TokenExpired)
    );
    assert!(harness.caller(&next.access_token).await.is_ok());
}

#[tokio::test]
async fn open_streams_go_on_with_a_session_that_is_refreshed() {
    let harness = Harness::new().await;
    let first = signed_in(&harness).await;
    let id = names::parse(names::SESSIONS, &first.session).unwrap();
    let ended = async || {
        let now_ms = harness.app.clock.now_ms();
        let db = harness.app.store.read();
        session::ended(db, now_ms, &[id]).await.unwrap()
    };
    harness.clock.advance_ms(14 * MINUTE_MS);
    refresh(&harness, &first.refresh_token, 1).await.unwrap();
    harness.clock.advance_ms(14 * MINUTE_MS);
    assert_eq!(ended().await, [(id, None)]);
    harness.clock.advance_ms(MINUTE_MS);
    assert_eq!(ended().await, [(id, Some(Reason::TokenExpired))]);
}

#[tokio::test]
async fn a_used_token_ends_the_session_for_everybody() {
    let harness = Harness::new().await;
    let first = signed_in(&harness).await;
    let other = harness.login(CONTACT, PASSWORD).await.unwrap();
    let second = refresh(&harness, &first.refresh_token, 1).await.unwrap();
    let third = refresh(&harness, &second.refresh_token, 2).await.unwrap();

    let answer = refresh(&harness, &first.refresh_token, 3);
    assert_eq!(why(answer).await, Some(Reason::RefreshTokenReused));
    for token in [&first.refresh_token, &third.refresh_token] {
        let answer = refresh(&harness, token, 4);
        assert_eq!(why(answer).await, Some(Reason::SessionRevoked));
    }
    for token in [&first.access_token, &third.access_token] {
        assert_eq!(
            why(harness.caller(token)).await,
            Some(Reason::SessionRevoked)
        );
    }
    // Another login is another session.
    assert!(harness.caller(&other.access_token).await.is_ok());
    assert!(refresh(&harness, &other.refresh_token, 1).await.is_ok());
}

#[tokio::test]
async fn whose_answer_was_lost_is_answered_the_same_again() {
    let harness = Harness::new().await;
    let first = signed_in(&harness).await;
    let lost = refresh(&harness, &first.refresh_token, 1).await.unwrap();
    harness.clock.advance_ms(2 * MINUTE_MS - 1);
    let again = refresh(&harness, &first.refresh_token, 1).await.unwrap();
    assert_eq!(again.refresh_token, lost.refresh_token);
    assert_eq!(again.expire_time, lost.expire_time);
    assert_eq!(again.refresh_expire_time, lost.refresh_expire_time);
    assert!(harness.caller(&again.access_token).await.is_ok());
    assert!(refresh(&harness, &again.refresh_token, 2).await.is_ok());
}

#[tokio::test]
async fn the_same_exchange_is_a_reuse_once_its_time_or_its_token_is_over() {
    let harness = Harness::new().await;
    let late = signed_in(&harness).await;
    refresh(&harness, &late.refresh_token, 1).await.unwrap();
    harness.clock.advance_ms(2 * MINUTE_MS);
    let answer = refresh(&harness, &late.refresh_token, 1);
    assert_eq!(why(answer).await, Some(Reason::RefreshTokenReused));

    let followed = harness.login(CONTACT, PASSWORD).await.unwrap();
    let next = refresh(&harness, &followed.refresh_token, 1).await.unwrap();
    refresh(&harness, &next.refresh_token, 2).await.unwrap();
    let answer = refresh(&harness, &followed.refresh_token, 1);
    assert_eq!(why(answer).await, Some(Reason::RefreshTokenReused));
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_refreshed_and_at_its_greatest_age() {
    let harness = Harness::new().await;
    let idle = signed_in(&harness).await;
    harness.clock.advance_ms(7 * DAY_MS);
    let answer = refresh(&harness, &idle.refresh_token, 1);
    assert_eq!(why(answer).await, Some(Reason::TokenExpired));

    let used = harness.login(CONTACT, PASSWORD).await.unwrap();
    let mut token = used.refresh_token;
    for request in 0..5 {
        harness.clock.advance_ms(6 * DAY_MS - 2 * MINUTE_MS);
        token = refresh(&harness, &token, request)
            .await
            .unwrap()
            .refresh_token;
    }
    let last = refresh(&harness, &token, 5).await.unwrap();
    assert_eq!(last.expire_time, last.refresh_expire_time);
    harness.clock.advance_ms(10 * MINUTE_MS);
    assert_eq!(
        why(harness.caller(&last.access_token)).await,
        Some(Reason::TokenExpired)
    );
    let answer = refresh(&harness, &last.refresh_token, 6);
    assert_eq!(why(answer).await, Some(Reason::TokenExpired));
}

#[tokio::test]
async fn what_a_session_may_follows_the_user_s_roles_and_status() {
    let harness = Harness::new().await;
    let first = signed_in(&harness).await;
    set_roles(&harness, &[Role::User, Role::Auditor]).await;
    let next = refresh(&harness, &first.refresh_token, 1).await.unwrap();
    let caller = harness.caller(&next.access_token).await.unwrap();
    assert_eq!(caller.roles, [Role::User, Role::Auditor]);

    for status in [UserStatus::Suspended, UserStatus::Closed] {
        harness.set_status(CONTACT, status).await;
        for (token, request) in [(&first.refresh_token, 1), (&next.refresh_token, 2)] {
            let answer = refresh(&harness, token, request);
            assert_eq!(why(answer).await, Some(Reason::UserStatus));
        }
    }
    harness.set_status(CONTACT, UserStatus::Frozen).await;
    assert!(refresh(&harness, &next.refresh_token, 2).await.is_ok());
}

async fn set_roles(harness: &Harness, set: &[Role]) {
    let find = user::signing_in(&crate::identity::contact::Contact::stored(CONTACT));
    let row = find.one(harness.app.store.read()).await.unwrap().unwrap();
    let mut row = row.into_active_model();
    row.roles = Set(roles::to_text(set));
    row.update(harness.app.store.write()).await.unwrap();
}

#[tokio::test]
async fn of_fifty_exchanges_of_one_token_at_once_one_takes_effect() {
    let harness = Harness::in_file().await;
    let first = signed_in(&harness).await;
    let all = (0..50).map(|request| refresh(&harness, &first.refresh_token, request));
    let mut done = Vec::new();
    let mut refused = Vec::new();
    for answer in join_all(all).await {
        match answer {
            Ok(answer) => done.push(answer.refresh_token),
            Err(error) => refused.push(error.reason()),
        }
    }
    assert_eq!(done.len(), 1);
    let told = |reason| refused.iter().filter(|told| **told == reason).count();
    assert_eq!(told(Reason::RefreshTokenReused), 1);
    assert_eq!(told(Reason::SessionRevoked), 48);
    let answer = refresh(&harness, &done[0], 50);
    assert_eq!(why(answer).await, Some(Reason::SessionRevoked));
}

#[tokio::test]
async fn one_exchange_asked_fifty_times_at_once_is_answered_alike() {
    let harness = Harness::in_file().await;
    let first = signed_in(&harness).await;
    let all = (0..50).map(|_| refresh(&harness, &first.refresh_token, 1));
    let answers = join_all(all).await.into_iter();
    let mut told: Vec<_> = answers
        .map(|answer| answer.unwrap().refresh_token)
        .collect();
    told.dedup();
    assert_eq!(told.len(), 1);
    assert!(refresh(&harness, &told[0], 2).await.is_ok());
}

#[tokio::test]
async fn no_token_stands_in_the_database() {
    let harness = Harness::new().await;
    let first = signed_in(&harness).await;
    let next = refresh(&harness, &first.refresh_token, 1).await.unwrap();
    let db = harness.app.store.read();
    let row = session::Entity::find().one(db).await.unwrap().unwrap();
    let kept = row.refresh_hash.clone().unwrap();
    for token in [first.refresh_token, next.refresh_token] {
        let token = RefreshToken::read(&harness.app.secrets, &token.clone().into()).unwrap();
        let text = token.write(&harness.app.secrets);
        assert!(!format!("{row:?}").contains(&text));
    }
    assert_eq!(kept.len(), 32);
}

#[tokio::test]
async fn what_is_decided_stands_in_the_audit_log() {
    let harness = Harness::new().await;
    let first = signed_in(&harness).await;
    let before = lines(&harness).await.len();
    refresh(&harness, &first.refresh_token, 1).await.unwrap();
    refresh(&harness, &first.refresh_token, 1).await.unwrap();
    refresh(&harness, &first.refresh_token, 2)
        .await
        .unwrap_err();
    let user = UserId(names::parse(names::USERS, &first.user.unwrap().name).unwrap());
    let line = |outcome: &str| (Some(user.0), first.session.clone(), outcome.to_owned());
    let told = lines(&harness).await.split_off(before);
    assert_eq!(told, [line("OK"), line("OK"), line("REFRESH_TOKEN_REUSED")]);
}

/// Actors, subjects and outcomes in the order of writing.
async fn lines(harness: &Harness) -> Vec<(Option<Uuid>, String, String)> {
    let lines = line::Entity::find().order_by_asc(line::Column::Id);
    let lines = lines.all(harness.app.store.read()).await.unwrap();
    let lines = lines.into_iter();
    lines
        .map(|line| (line.actor, line.subject, line.outcome))
        .collect()
}

#[tokio::test]
async fn what_is_no_refresh_token_is_told_and_ends_nothing() {
    let harness = Harness::new().await;
    let first = signed_in(&harness).await;
    let foreign = RefreshToken::first(Uuid::from_u128(7)).write(&harness.app.secrets);
    let mut altered = first.refresh_token.clone();
    altered.replace_range(
        30..31,
        if altered.get(30..31) == Some("A") {
            "B"
        } else {
            "A"
        },
    );
    for (token, told) in [
        ("opaque", Reason::TokenInvalid),
        (altered.as_str(), Reason::TokenInvalid),
        (foreign.as_str(), Reason::SessionRevoked),
    ] {
        let answer = refresh(&harness, token, 1);
        assert_eq!(why(answer).await, Some(told), "{token}");
    }
    assert!(harness.caller(&first.access_token).await.is_ok());
    let header = format!("Bearer {}", first.refresh_token);
    let answer = harness.app.auth.caller(Some(&header));
    assert_eq!(why(answer).await, Some(Reason::TokenInvalid));
}

#[tokio::test]
async fn all_violations_are_told_at_once() {
    for token in [String::new(), "A".repeat(101)] {
        let message = RefreshSessionRequest {
            refresh_token: token,
            request_id: "1".to_owned(),
        };
        let error = RefreshSession::try_from(message).unwrap_err();
        assert_eq!(violations(error), ["refresh_token", "request_id"]);
    }
}
