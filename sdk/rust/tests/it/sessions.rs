//! Sessions whose tokens end.

use std::time::Duration;

use gx_sdk::{GxClient, Reason, Session};

use crate::harness::{Gx, Way, url};

#[tokio::test]
async fn fifty_calls_that_find_the_token_expired_exchange_it_once() {
    let server = Gx::start();
    let person = server.person().await;
    let begun = person.gx.session().unwrap();
    let without_access = Session::new("", begun.refresh_token.clone());
    let gx = server.connect().await.resume(without_access);
    let mut changes = gx.session_changes().unwrap();
    let calls = (0..50).map(|_| {
        let gx = gx.clone();
        tokio::spawn(async move { gx.identity().me().await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().unwrap().account, person.account);
    }
    assert_eq!(server.answered("RefreshSession").await, 1);
    assert!(changes.has_changed().unwrap());
    let kept = changes.borrow_and_update().refresh_token.clone();
    assert_ne!(kept, begun.refresh_token);
}

#[tokio::test]
async fn an_access_token_that_is_refused_is_replaced_within_the_call() {
    let server = Gx::start();
    let person = server.person().await;
    let begun = person.gx.session().unwrap();
    let refused = Session::new("no.access.token", begun.refresh_token);
    let gx = server.connect().await.resume(refused);
    assert_eq!(gx.identity().me().await.unwrap().account, person.account);
    assert_ne!(gx.session().unwrap().access_token, "no.access.token");
}

#[tokio::test]
async fn an_exchange_whose_answer_is_lost_is_asked_for_again_for_all_who_wait() {
    let server = Gx::start();
    let person = server.person().await;
    let begun = person.gx.session().unwrap();
    let way = Way::to(server.port).await;
    let gx = GxClient::connect(url(way.port)).await.unwrap();
    let gx = gx.resume(Session::new("", begun.refresh_token));
    way.lose_answers();
    let impatient = gx.with_deadline(Duration::from_millis(100));
    let impatient = tokio::spawn(async move { impatient.identity().me().await });
    let patient = tokio::spawn(async move { gx.identity().me().await });
    let told = impatient.await.unwrap().unwrap_err();
    assert_eq!(told.reason(), Reason::Deadline);
    while server.answered("RefreshSession").await == 0 {}
    way.cut();
    assert_eq!(patient.await.unwrap().unwrap().account, person.account);
}

#[tokio::test]
async fn reuse_of_an_old_refresh_token_ends_the_session_and_is_told() {
    let server = Gx::start();
    let person = server.person().await;
    let stolen = person.gx.session().unwrap();
    let owner = server
        .connect()
        .await
        .resume(Session::new("", stolen.refresh_token.clone()));
    owner.identity().me().await.unwrap();

    let thief = server
        .connect()
        .await
        .resume(Session::new("", stolen.refresh_token));
    let told = thief.identity().me().await.unwrap_err();
    assert_eq!(told.reason(), Reason::RefreshTokenReused);
    let told = owner.identity().me().await.unwrap_err();
    assert_eq!(told.reason(), Reason::SessionRevoked);
    // It is not asked again.
    let told = thief.identity().me().await.unwrap_err();
    assert_eq!(told.reason(), Reason::RefreshTokenReused);
}

#[tokio::test]
async fn whoever_signs_out_is_out() {
    let server = Gx::start();
    let person = server.person().await;
    let clone = person.gx.clone();
    person.gx.sign_out().await.unwrap();
    let told = clone.identity().me().await.unwrap_err();
    assert_eq!(told.reason(), Reason::SessionRevoked);
}
