//! The wire as Fabric CA documents it, by raw requests.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use gx_fabric::msp::Certificate;
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{Ca, NAMES, connected, secured};

/// Sends a request and gives status and answer.
async fn send(ca: &Ca, line: &str, login: Option<&str>, body: &str) -> (u16, Value) {
    let (method, path) = line.split_once(' ').unwrap();
    let stream = TokioIo::new(secured(ca).await);
    let (mut sender, connection) = http1::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path);
    if let Some(login) = login {
        let login = format!("Basic {}", BASE64_STANDARD.encode(login));
        request = request.header("authorization", login);
    }
    let request = request.body(Full::new(body.to_owned().into_bytes().into()));
    let request: Request<Full<hyper::body::Bytes>> = request.unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    drop(sender);
    connection.await.unwrap().unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

fn request_for(name: &str, key: &KeyPair) -> String {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "US");
    params.distinguished_name.push(DnType::CommonName, name);
    params.serialize_request(key).unwrap().pem().unwrap()
}

fn login(ca: &Ca) -> String {
    let secret = ca.secret(NAMES[0], "partner");
    format!("partner:{}", secret.expose_secret())
}

#[tokio::test]
async fn an_authority_tells_its_name_and_chain() {
    let ca = Ca::start().await;
    for (line, body, index) in [
        ("GET /cainfo", "", 0),
        ("GET /api/v1/cainfo", "", 0),
        ("GET /api/v1/cainfo?ca=ca-two", "", 1),
        ("POST /api/v1/cainfo", r#"{"caname":"ca-two"}"#, 1),
        ("POST /api/v1/cainfo", r#"{"CAName":"ca-two"}"#, 1),
        ("POST /api/v1/cainfo", r#"{"caname":null}"#, 0),
    ] {
        let (status, answer) = send(&ca, line, None, body).await;
        let chain = BASE64_STANDARD.encode(ca.authorities[index].certificate_pem());
        assert_eq!(status, 200, "{line}");
        assert_eq!(answer["success"], true);
        assert_eq!(answer["errors"], json!([]));
        assert_eq!(answer["messages"], json!([]));
        assert_eq!(answer["result"]["CAName"], NAMES[index], "{line}");
        assert_eq!(answer["result"]["CAChain"], chain);
        assert!(answer["result"]["Version"].is_string());
    }
}

#[tokio::test]
async fn an_enrolment_is_answered_with_certificate_and_chain() {
    let ca = Ca::start().await;
    let key = KeyPair::generate().unwrap();
    for line in ["POST /enroll", "POST /api/v1/enroll"] {
        let body = json!({"certificate_request": request_for("partner", &key), "hosts": null});
        let (status, answer) = send(&ca, line, Some(&login(&ca)), &body.to_string()).await;
        assert_eq!(
            (status, &answer["success"]),
            (201, &json!(true)),
            "{answer}"
        );
        let pem = BASE64_STANDARD.decode(answer["result"]["Cert"].as_str().unwrap());
        let pem = String::from_utf8(pem.unwrap()).unwrap();
        let certificate = Certificate::from_pem(&pem).unwrap();
        assert_eq!(certificate.subject(), "OU=client, CN=partner");
        assert!(certificate.is_issued_by(ca.authorities[0].certificate()));
        assert_eq!(answer["result"]["ServerInfo"]["CAName"], NAMES[0]);
    }
}

#[tokio::test]
async fn serial_numbers_differ_even_for_one_key() {
    let ca = Ca::start().await;
    let key = KeyPair::generate().unwrap();
    let body = json!({"certificate_request": request_for("partner", &key)}).to_string();
    let mut serials = Vec::new();
    for _ in 0..2 {
        let (_, answer) = send(&ca, "POST /enroll", Some(&login(&ca)), &body).await;
        let pem = BASE64_STANDARD.decode(answer["result"]["Cert"].as_str().unwrap());
        let (_, pem) = x509_parser::pem::parse_x509_pem(&pem.unwrap()).unwrap();
        serials.push(pem.parse_x509().unwrap().raw_serial().to_vec());
    }
    assert_ne!(serials[0], serials[1]);
    assert!(serials.iter().all(|serial| serial.len() == 20));
}

#[tokio::test]
async fn refusals_have_fabric_cas_statuses_and_codes() {
    let ca = Ca::start().await;
    let key = KeyPair::generate().unwrap();
    let good = json!({"certificate_request": request_for("partner", &key)});
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body.to_string()
    };
    let login = login(&ca);
    let own = Some(login.as_str());
    let large = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    let other = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let forged = forged(&request_for("partner", &key), &key, &other);
    let cases = [
        ("GET /enroll", own, good.to_string(), 405, 1),
        ("POST /enroll", None, good.to_string(), 401, 2),
        ("POST /reenroll", None, good.to_string(), 401, 2),
        ("POST /reenroll", own, good.to_string(), 401, 20),
        ("POST /enroll", own, String::new(), 400, 4),
        ("POST /enroll", own, "{".to_owned(), 400, 5),
        ("POST /enroll", own, with("caname", json!("x")), 404, 19),
        ("POST /enroll?ca=x", own, good.to_string(), 404, 19),
        ("POST /enroll", Some("partner"), good.to_string(), 401, 20),
        ("POST /enroll", Some("partner:"), good.to_string(), 401, 20),
        (
            "POST /enroll",
            own,
            with("certificate_request", json!("x")),
            400,
            31,
        ),
        (
            "POST /enroll",
            own,
            with("certificate_request", json!(request_for("partner", &large))),
            400,
            31,
        ),
        (
            "POST /enroll",
            own,
            with("certificate_request", json!(forged)),
            400,
            31,
        ),
        (
            "POST /enroll",
            own,
            with("certificate_request", json!(request_for("user", &key))),
            403,
            77,
        ),
        ("POST /enroll", own, with("profile", json!("ca")), 500, 0),
    ];
    for (line, login, body, status, code) in cases {
        let (answered, answer) = send(&ca, line, login, &body).await;
        assert_eq!(answered, status, "{line} {body}: {answer}");
        assert_eq!(answer["errors"][0]["code"], code, "{line} {body}: {answer}");
        assert_eq!(
            (&answer["result"], &answer["success"]),
            (&json!(""), &json!(false))
        );
    }
    let (status, _) = send(&ca, "POST /register", own, "{}").await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_connection_that_says_nothing_does_not_hold_up_the_end() {
    let ca = Ca::start().await;
    let _silent = connected(&ca).await;
    // Connections are taken in turn, so the one before has been taken.
    let _secured = secured(&ca).await;
    let ended = timeout(Duration::from_secs(5), ca.stop());
    assert!(ended.await.is_ok());
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_read() {
    let ca = Ca::start().await;
    let body = json!({"certificate_request": "x".repeat(100_000)}).to_string();
    let (status, answer) = send(&ca, "POST /enroll", Some(&login(&ca)), &body).await;
    assert_eq!((status, &answer["errors"][0]["code"]), (500, &json!(3)));
}

/// The request with another one's key in it, so that the signature is not that key's.
fn forged(request: &str, key: &KeyPair, other: &KeyPair) -> String {
    let (_, pem) = x509_parser::pem::parse_x509_pem(request.as_bytes()).unwrap();
    let (mut der, own) = (pem.contents, key.public_key_raw());
    let place = der.windows(own.len()).position(|part| part == own).unwrap();
    der[place..place + own.len()].copy_from_slice(other.public_key_raw());
    let body = BASE64_STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE REQUEST-----\n{body}\n-----END CERTIFICATE REQUEST-----\n")
}
