//! What membership promises.

use gx_contract::ChainRole;
use p256::ecdsa::Signature;

use super::{
    Certificate, CertificateError, Membership, NotAuthentic, SigningError, SigningIdentity,
    testing::Organization,
};

fn channel(organization: &Organization) -> Membership {
    Membership::default()
        .with("Org1MSP", organization.pem())
        .unwrap()
}

#[test]
fn a_member_is_known_by_its_signature_and_its_attribute() {
    let organization = Organization::new("Org1MSP");
    let partner = organization.member(Some("gx_partner_api"));
    let signature = partner.sign(b"message");
    let member = channel(&organization)
        .signer(partner.creator(), b"message", &signature)
        .unwrap();
    assert_eq!(member.msp_id, "Org1MSP");
    assert_eq!(member.identity().role, Some(ChainRole::Partner));
    assert_eq!(organization.member(None).certificate().role(), None);
}

#[test]
fn a_turned_bit_is_another_message_or_no_signature() {
    let organization = Organization::new("Org1MSP");
    let partner = organization.member(None);
    let channel = channel(&organization);
    let signature = partner.sign(b"message");
    let refused = channel.signer(partner.creator(), b"massage", &signature);
    assert_eq!(refused.unwrap_err(), NotAuthentic::Signature);
    for bit in 0..signature.len() * 8 {
        let mut turned = signature.to_vec();
        turned[bit / 8] ^= 1 << (bit % 8);
        let refused = channel.signer(partner.creator(), b"message", &turned);
        assert_eq!(refused.unwrap_err(), NotAuthentic::Signature, "bit {bit}");
    }
}

#[test]
fn signatures_have_a_low_s_and_the_other_form_is_refused() {
    let organization = Organization::new("Org1MSP");
    let partner = organization.member(None);
    for number in 0..64_u8 {
        let low = partner.sign(&[number]);
        assert!(partner.certificate().has_signed(&[number], &low));
        let (r, s) = Signature::from_der(&low).unwrap().split_scalars();
        let high = Signature::from_scalars(r, -s).unwrap().to_der();
        assert!(!partner.certificate().has_signed(&[number], high.as_bytes()));
    }
}

#[test]
fn a_foreign_certificate_is_no_member() {
    let (own, foreign) = (Organization::new("Org1MSP"), Organization::new("Org1MSP"));
    let channel = channel(&own);
    let stranger = foreign.member(Some("gx_admin"));
    assert_eq!(
        channel.member(stranger.creator()).unwrap_err(),
        NotAuthentic::Foreign("Org1MSP".into())
    );
    let other = Organization::new("Org2MSP").member(None);
    assert_eq!(
        channel.member(other.creator()).unwrap_err(),
        NotAuthentic::UnknownMsp("Org2MSP".into())
    );
    assert_eq!(channel.member(b"\xff").unwrap_err(), NotAuthentic::Creator);
}

#[test]
fn a_certificate_holds_for_its_time() {
    let organization = Organization::new("Org1MSP");
    let partner = organization.member(None);
    let member = channel(&organization).member(partner.creator()).unwrap();
    let (from, until) = (
        member.certificate.not_before_ms(),
        member.certificate.not_after_ms(),
    );
    assert!(member.valid_at(from).is_ok() && member.valid_at(until).is_ok());
    assert!(member.valid_at(from - 1).is_err() && member.valid_at(until + 1).is_err());
}

#[test]
fn a_key_belongs_to_its_certificate() {
    let organization = Organization::new("Org1MSP");
    let (certificate, _) = organization.issue(None);
    let (_, key) = organization.issue(None);
    let refused = |certificate: &str, key: &str| {
        SigningIdentity::from_pem("Org1MSP", certificate, key).unwrap_err()
    };
    assert_eq!(refused(&certificate, &key), SigningError::Foreign);
    assert_eq!(refused(&certificate, "no key"), SigningError::Key);
    assert_eq!(
        refused("no certificate", &key),
        CertificateError::Pem.into()
    );
}

#[test]
fn a_bundle_gives_all_its_certificates() {
    let (first, second) = (Organization::new("A"), Organization::new("B"));
    let bundle = format!("{}\n{}", first.pem(), second.pem());
    let all = Certificate::all_from_pem(&bundle).unwrap();
    let subjects: Vec<_> = all.iter().map(Certificate::subject).collect();
    assert_eq!(subjects, ["CN=A", "CN=B"]);
    assert!(Certificate::all_from_pem("").is_err());
}
