//! Enrolling and enrolling again, with our own client.

use gx_contract::ChainRole;
use gx_fabric::{
    ca::{Client, ClientOptions, Wanted},
    msp::{Certificate, Membership},
};

use crate::harness::{Ca, NAMES, TTL, identity, partner};

#[tokio::test]
async fn a_member_enrols_and_the_channel_knows_it() {
    let ca = Ca::start().await;
    let enrolment = ca.enroll(&partner()).await.unwrap();
    let authority = ca.authorities[0].certificate_pem();
    assert_eq!(enrolment.authorities.trim(), authority.trim());
    let channel = Membership::default().with("Org1MSP", authority).unwrap();
    let identity = identity(&enrolment);
    let signature = identity.sign(b"message");
    let member = channel
        .signer(identity.creator(), b"message", &signature)
        .unwrap();
    member.valid_at(ca.now_ms()).unwrap();
    assert_eq!(member.identity().role, Some(ChainRole::Partner));
    assert_eq!(member.certificate.common_name(), Some("partner"));
    ca.stop().await;
}

#[tokio::test]
async fn a_later_certificate_is_for_a_key_of_its_own() {
    let ca = Ca::start().await;
    let first = ca.enroll(&partner()).await.unwrap();
    ca.advance(TTL / 2);
    let again = ca.client().reenroll(&partner(), &identity(&first)).await;
    let (before, after) = (identity(&first), identity(&again.unwrap()));
    assert_ne!(before.certificate().key(), after.certificate().key());
    let gained_ms = after.certificate().not_after_ms() - before.certificate().not_after_ms();
    assert_eq!(gained_ms, i64::try_from(TTL.as_millis()).unwrap() / 2);
    assert_eq!(after.certificate().role(), Some(ChainRole::Partner));
}

#[tokio::test]
async fn a_member_without_a_role_gets_the_usual_attributes() {
    let ca = Ca::start().await;
    let user = Wanted {
        id: "user".to_owned(),
        role: None,
    };
    let enrolment = ca.enroll(&user).await.unwrap();
    let certificate = Certificate::from_pem(&enrolment.certificate).unwrap();
    let attributes = ["hf.EnrollmentID", "hf.Type", "hf.Affiliation", "gxc_role"];
    assert_eq!(
        attributes.map(|name| certificate.attribute(name)),
        [Some("user"), Some("client"), Some(""), None]
    );
}

#[tokio::test]
async fn no_certificate_outlasts_its_authority() {
    let ca = Ca::start().await;
    let own = ca.authorities[0].certificate().not_after_ms();
    let left = std::time::Duration::from_millis((own - ca.now_ms()).try_into().unwrap());
    let almost = left - TTL / 2;
    let authority = &ca.authorities[0];
    let holder = gx_fabric::ca::Holder {
        name: "partner".to_owned(),
        unit: gx_fabric::ca::Unit::Client,
        attributes: Default::default(),
    };
    let key = rcgen::KeyPair::generate().unwrap();
    let late_ms = ca.now_ms() + i64::try_from(almost.as_millis()).unwrap();
    let issued = authority.issue(&holder, &key, late_ms, TTL).unwrap();
    let issued = Certificate::from_pem(&issued).unwrap();
    assert_eq!(issued.not_after_ms(), own);
}

#[tokio::test]
async fn each_authority_of_a_server_is_asked_by_its_name() {
    let ca = Ca::start().await;
    let client = Client::new(ClientOptions {
        authority: Some(NAMES[1].to_owned()),
        trusted: Some(ca.authorities[1].certificate_pem().to_owned()),
        ..ca.options()
    });
    let secret = ca.secret(NAMES[1], "partner");
    let enrolment = client.unwrap().enroll(&partner(), &secret).await.unwrap();
    let certificate = Certificate::from_pem(&enrolment.certificate).unwrap();
    assert!(certificate.is_issued_by(ca.authorities[1].certificate()));
}

#[tokio::test]
async fn the_first_time_the_root_is_learnt() {
    let ca = Ca::start().await;
    let client = Client::new(ca.options()).unwrap();
    let secret = ca.secret(NAMES[0], "partner");
    let enrolment = client.enroll(&partner(), &secret).await.unwrap();
    let root = ca.authorities[0].certificate_pem();
    assert_eq!(enrolment.root.trim(), root.trim());
}
