//! Limits that the other tests are spared: how often one may call, how often one
//! may guess, and how many calls there may be at once.

use std::{net::Ipv4Addr, time::Duration};

use futures::future::join_all;
use gx_proto::gx::{
    identity::v1::{GetMeRequest, LoginRequest, Role},
    operation::v1::OperationState,
    tokenomics::v1::GetSupplyRequest,
};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Status};

use crate::harness::{Client, Database, GX, Gx, PASSWORD, Refusal, unused_contact};

const LIMITED: (Code, &str) = (Code::ResourceExhausted, "RATE_LIMITED");

/// Refusals among the answers, each with when to try again.
fn refused(answers: Vec<Result<(), Status>>, told: (Code, &str)) -> usize {
    let refusals = answers.iter().filter_map(|answer| answer.as_ref().err());
    let refusals = refusals.map(|status| {
        let refusal = Refusal::of(status);
        assert_eq!(refusal.told(), told);
        assert!(refusal.retry_ms.is_some_and(|ms| ms > 0), "{refusal:?}");
    });
    refusals.count()
}

#[tokio::test]
async fn caller_has_a_bucket_of_its_own() {
    let settings = [
        ("GX_LIMITS__CALLER_PER_S", "1"),
        ("GX_LIMITS__CALLER_BURST", "20"),
    ];
    let gx = Gx::start_with(Database::Sqlite, &settings).await;
    let (first, second) = (
        gx.caller(&[Role::User]).await,
        gx.caller(&[Role::User]).await,
    );
    let calls = |client: &Client| {
        let calls = (0..40).map(|_| {
            let mut identity = client.identity();
            async move { identity.get_me(GetMeRequest::default()).await.map(drop) }
        });
        join_all(calls.collect::<Vec<_>>())
    };
    let turned_away = refused(calls(&first.client).await, LIMITED);
    // The bucket refills by one a second meanwhile.
    assert!((10..=20).contains(&turned_away), "{turned_away}");
    let turned_away = refused(calls(&second.client).await, LIMITED);
    assert!((10..=20).contains(&turned_away), "{turned_away}");
    assert!(gx.metric("gx_rate_limited_total").await >= 20.0);
}

#[tokio::test]
async fn registrations_and_logins_of_one_address_are_few() {
    let settings = [
        ("GX_LIMITS__PUBLIC_PER_S", "1"),
        ("GX_LIMITS__PUBLIC_BURST", "5"),
    ];
    let gx = Gx::start_with(Database::Sqlite, &settings).await;
    let mut answers = Vec::new();
    for _ in 0..40 {
        let contact = unused_contact();
        let password = PASSWORD.to_owned();
        let login = LoginRequest {
            contact,
            password,
            label: String::new(),
        };
        let answer = gx.client().identity().login(login).await.map(drop);
        let wrong = |status: &Status| Refusal::of(status).reason == "CREDENTIALS_WRONG";
        answers.push(answer.or_else(|status| if wrong(&status) { Ok(()) } else { Err(status) }));
    }
    assert!(refused(answers, LIMITED) >= 20);
    // Everything else is as before.
    gx.supply(0).await;
}

#[tokio::test]
async fn guessing_locks_a_login_and_nobody_else_s_until_an_operator_unlocks_it() {
    let gx = Gx::start_with(Database::Sqlite, &[("GX_LOGIN__FAILURES", "3")]).await;
    let contacts = [unused_contact(), unused_contact()];
    for contact in &contacts {
        gx.register(contact, "DE").await;
    }
    let login = |contact: &str, password: &str| {
        let request = LoginRequest {
            contact: contact.to_owned(),
            password: password.to_owned(),
            label: String::new(),
        };
        let mut identity = gx.client().identity();
        async move { identity.login(request).await }
    };
    for _ in 0..3 {
        let wrong = login(&contacts[0], "not the password").await.unwrap_err();
        assert_eq!(Refusal::of(&wrong).reason, "CREDENTIALS_WRONG");
    }
    for password in ["not the password", PASSWORD] {
        let locked = login(&contacts[0], password).await.unwrap_err();
        let locked = Refusal::of(&locked);
        assert_eq!(locked.told(), (Code::ResourceExhausted, "LOGIN_LOCKED"));
        assert!(locked.retry_ms.is_some_and(|ms| ms > 0), "{locked:?}");
    }
    login(&contacts[1], PASSWORD).await.unwrap();
    let (done, told) = gx.tool(&["users", "unlock", &contacts[0]]).await;
    assert!(done && told.contains("forgotten"), "{told}");
    login(&contacts[0], PASSWORD).await.unwrap();
}

#[tokio::test]
async fn full_line_turns_commands_away_and_takes_them_later() {
    let settings = [("GX_INTAKE__WAITING", "4"), ("GX_INTAKE__FOLD", "1")];
    let gx = Gx::start_with(Database::Sqlite, &settings).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let transfers: Vec<_> = (0..100).map(|_| ann.to(&bee.account, GX, 0)).collect();
    let sends = transfers.iter().cloned().map(|transfer| ann.send(transfer));
    let answers = join_all(sends).await.into_iter();
    let answers: Vec<_> = answers.map(|answer| answer.map(drop)).collect();
    assert!(refused(answers, (Code::ResourceExhausted, "OVERLOADED")) > 0);
    // The same requests again: what was taken stays one, what was not is taken.
    for transfer in transfers {
        let settled = ann.pay(transfer).await;
        assert_eq!(settled.state(), OperationState::Succeeded);
    }
    let wallet = ann.wallet(0).await;
    assert_eq!((wallet.balance_qirat, wallet.reserved_qirat), (400 * GX, 0));
}

/// From many connections at once, for as long as the payments take.
#[tokio::test]
async fn a_flood_of_logins_is_shed_and_stops_no_payment() {
    let settings = [("GX_LOGIN__CONCURRENCY", "1"), ("GX_LOGIN__WAITING", "4")];
    let gx = Gx::start_with(Database::Sqlite, &settings).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let before = gx.metric("gx_password_verifications_total").await;
    let end = CancellationToken::new();
    let flood = (0..32).map(|_| tokio::spawn(logins(gx.connect(), end.clone())));
    let flood: Vec<_> = flood.collect();
    for _ in 0..50 {
        let paid = ann.pay(ann.to(&bee.account, GX, 0)).await;
        assert_eq!(paid.state(), OperationState::Succeeded);
    }
    end.cancel();
    let (mut judged, mut shed) = (0, 0);
    for one in flood {
        let (judged_of_one, shed_of_one) = one.await.unwrap();
        (judged, shed) = (judged + judged_of_one, shed + shed_of_one);
    }
    assert!(judged > 0 && shed > 0, "{judged} judged, {shed} shed");
    // Who was shed cost no verification.
    let verified = gx.metric("gx_password_verifications_total").await - before;
    assert_eq!(verified, f64::from(judged));
}

/// Logs in without end; how often that was judged, and how often shed.
async fn logins(client: Client, end: CancellationToken) -> (u32, u32) {
    let (mut judged, mut shed) = (0, 0);
    while !end.is_cancelled() {
        let login = LoginRequest {
            contact: unused_contact(),
            password: PASSWORD.to_owned(),
            label: String::new(),
        };
        let refused = client.identity().login(login).await.unwrap_err();
        let refused = Refusal::of(&refused);
        if refused.told() == (Code::ResourceExhausted, "OVERLOADED") {
            assert!(refused.retry_ms.is_some_and(|ms| ms > 0), "{refused:?}");
            shed += 1;
        } else {
            assert_eq!(refused.reason, "CREDENTIALS_WRONG");
            judged += 1;
        }
    }
    (judged, shed)
}

/// Reads the supply for somebody behind the trusted proxy.
async fn supply_for(client: &Client, address: Ipv4Addr) -> Result<(), Status> {
    let mut request = Request::new(GetSupplyRequest::default());
    let address = address.to_string().parse().expect("text");
    request.metadata_mut().insert("x-forwarded-for", address);
    client.tokenomics().get_supply(request).await.map(drop)
}

/// Calls without end from one address and from one more each time; how many of the
/// former were taken, and how many turned away.
async fn flood(client: Client, of: u8, end: CancellationToken) -> (usize, usize) {
    let (mut taken, mut turned_away) = (0, 0);
    for other in 0.. {
        if end.is_cancelled() {
            break;
        }
        let [_, high, middle, low] = u32::to_be_bytes(other);
        let other = Ipv4Addr::new(10 + of, high, middle, low);
        supply_for(&client, other).await.expect("taken");
        let answer = supply_for(&client, Ipv4Addr::new(192, 0, 2, 1)).await;
        match refused(vec![answer], LIMITED) {
            0 => taken += 1,
            _ => turned_away += 1,
        }
    }
    (taken, turned_away)
}

#[tokio::test]
async fn a_flood_from_one_address_and_from_thousands_turns_nobody_else_away() {
    let settings = [
        ("GX_LIMITS__TRUSTED_PROXIES", "127.0.0.1/32"),
        ("GX_LIMITS__ADDRESS_PER_S", "40"),
        ("GX_LIMITS__ADDRESS_BURST", "40"),
    ];
    let gx = Gx::start_with(Database::Sqlite, &settings).await;
    let end = CancellationToken::new();
    let floods = (0..16).map(|of| tokio::spawn(flood(gx.connect(), of, end.clone())));
    let floods: Vec<_> = floods.collect();
    let paced = gx.connect();
    let mut ticks = interval(Duration::from_millis(25));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut kept = 0;
    for _ in 0..100 {
        ticks.tick().await;
        let answer = supply_for(&paced, Ipv4Addr::new(198, 51, 100, 1)).await;
        kept += usize::from(answer.is_ok());
    }
    end.cancel();
    let (mut taken, mut turned_away) = (0, 0);
    for one in floods {
        let (taken_of_one, turned_away_of_one) = one.await.unwrap();
        (taken, turned_away) = (taken + taken_of_one, turned_away + turned_away_of_one);
    }
    assert!(kept >= 99, "{kept} of 100");
    assert!(turned_away > 0, "{taken} taken");
}
