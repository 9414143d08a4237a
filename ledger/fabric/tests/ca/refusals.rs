//! Whom the server refuses, and what the client refuses.

use std::time::Duration;

use gx_contract::ChainRole;
use gx_fabric::{
    ca::{Authority, Client, ClientOptions, EnrolError, Wanted},
    msp::SigningIdentity,
};
use rcgen::KeyPair;

use crate::harness::{Ca, NAMES, START_MS, TTL, identity, partner};

fn refused(error: EnrolError) -> (u16, u32) {
    match error {
        EnrolError::Refused { status, code, .. } => (status, code),
        other => panic!("{other:?}"),
    }
}

fn untrusted(error: EnrolError) -> String {
    match error {
        EnrolError::Untrusted(why) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_wrong_secret_and_an_unknown_name_are_answered_alike() {
    let ca = Ca::start().await;
    let stranger = Wanted {
        id: "stranger".to_owned(),
        ..partner()
    };
    let wrong = "wrong".to_owned().into();
    let first = ca.client().enroll(&partner(), &wrong).await.unwrap_err();
    let second = ca.client().enroll(&stranger, &wrong).await.unwrap_err();
    assert_eq!(first, second);
    assert_eq!(refused(first), (401, 20));
    ca.enroll(&partner()).await.unwrap();
}

#[tokio::test]
async fn a_locked_identity_is_answered_as_a_wrong_secret_is() {
    let ca = Ca::start().await;
    let wrong = "wrong".to_owned().into();
    let first = ca.client().enroll(&partner(), &wrong).await.unwrap_err();
    for _ in 1..10 {
        let next = ca.client().enroll(&partner(), &wrong).await.unwrap_err();
        assert_eq!(next, first);
    }
    assert_eq!(ca.enroll(&partner()).await.unwrap_err(), first);
}

#[tokio::test]
async fn a_connection_that_another_authority_vouches_for_is_not_used() {
    let ca = Ca::start().await;
    let other = Authority::create("tls", START_MS).unwrap();
    let elsewhere = ClientOptions {
        tls_authorities: other.certificate_pem().to_owned(),
        ..ca.options()
    };
    let renamed = ClientOptions {
        server_name: Some("ca.example".to_owned()),
        ..ca.options()
    };
    for options in [elsewhere, renamed] {
        let client = Client::new(options).unwrap();
        let secret = ca.secret(NAMES[0], "partner");
        let failed = client.enroll(&partner(), &secret).await.unwrap_err();
        assert!(matches!(failed, EnrolError::Unreachable { .. }), "{failed}");
    }
}

#[tokio::test]
async fn a_certificate_of_an_authority_that_is_not_trusted_is_not_kept() {
    let ca = Ca::start().await;
    let client = Client::new(ClientOptions {
        trusted: Some(ca.authorities[1].certificate_pem().to_owned()),
        ..ca.options()
    });
    let secret = ca.secret(NAMES[0], "partner");
    let failed = client.unwrap().enroll(&partner(), &secret).await;
    let why = untrusted(failed.unwrap_err());
    assert!(why.contains("no authority that is trusted"), "{why}");
}

#[tokio::test]
async fn a_certificate_with_another_role_is_not_kept() {
    let ca = Ca::start().await;
    let wanted = Wanted {
        role: Some(ChainRole::Admin),
        ..partner()
    };
    let why = untrusted(ca.enroll(&wanted).await.unwrap_err());
    assert!(why.contains("gx_admin"), "{why}");
}

#[tokio::test]
async fn an_attribute_that_is_not_registered_is_named() {
    let ca = Ca::start().await;
    let wanted = Wanted {
        id: "user".to_owned(),
        role: Some(ChainRole::Partner),
    };
    let failed = ca.enroll(&wanted).await.unwrap_err();
    assert!(failed.to_string().contains("[gxc_role]"), "{failed}");
    assert_eq!(refused(failed), (500, 0));
}

#[tokio::test]
async fn an_expired_certificate_gets_no_later_one() {
    let ca = Ca::start().await;
    let first = ca.enroll(&partner()).await.unwrap();
    ca.advance(TTL + Duration::from_secs(1));
    let failed = ca.client().reenroll(&partner(), &identity(&first)).await;
    assert_eq!(refused(failed.unwrap_err()), (401, 20));
}

#[tokio::test]
async fn another_authoritys_certificate_gets_no_later_one() {
    let ca = Ca::start().await;
    let stranger = Authority::create(NAMES[0], START_MS).unwrap();
    for authority in [&*ca.authorities[1], &stranger] {
        let key = KeyPair::generate().unwrap();
        let holder = gx_fabric::ca::Holder {
            name: "partner".to_owned(),
            unit: gx_fabric::ca::Unit::Client,
            attributes: Default::default(),
        };
        let issued = authority.issue(&holder, &key, START_MS, TTL).unwrap();
        let foreign = SigningIdentity::from_pem("Org1MSP", &issued, &key.serialize_pem());
        let failed = ca.client().reenroll(&partner(), &foreign.unwrap()).await;
        assert_eq!(refused(failed.unwrap_err()), (401, 20));
    }
}

#[tokio::test]
async fn a_later_certificate_is_for_the_same_name() {
    let ca = Ca::start().await;
    let first = ca.enroll(&partner()).await.unwrap();
    let other = Wanted {
        id: "user".to_owned(),
        role: None,
    };
    let failed = ca.client().reenroll(&other, &identity(&first)).await;
    assert_eq!(refused(failed.unwrap_err()), (403, 77));
}

#[test]
fn options_that_cannot_be_used_are_named() {
    let authority = Authority::create("tls", START_MS).unwrap();
    let fault = |url: &str, tls: &str| {
        let failed = Client::new(ClientOptions::new(url, tls)).err();
        failed.map(|error| error.to_string()).unwrap_or_default()
    };
    let pem = authority.certificate_pem();
    assert_eq!(fault("https://localhost:7054", pem), "");
    for url in [
        "http://localhost:7054",
        "https://id:pw@localhost",
        "https://localhost/ca",
        "localhost",
    ] {
        assert!(
            fault(url, pem).contains("URL"),
            "{url}: {}",
            fault(url, pem)
        );
    }
    assert!(fault("https://localhost", "none").contains("authorities of the connection"));
}
