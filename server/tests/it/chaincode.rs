//! `gx chaincode`: peers find it under the id of its package, and it needs nothing
//! else of GX.

use std::{fs, os::unix::fs::PermissionsExt as _};

use futures::stream;
use gx_fabric::proto::protos::{
    ChaincodeId, ChaincodeMessage, chaincode_client::ChaincodeClient, chaincode_message::Type,
};
use prost::Message as _;
use tonic::transport::Endpoint;

use crate::harness::{Staying, tool};

#[tokio::test]
async fn a_peer_that_dials_in_is_met_under_the_package_s_id() {
    let folder = tempfile::tempdir().unwrap();
    let (_, id) = package(folder.path().join("gx.tgz").to_str().unwrap(), &[]);
    let settings = [("GX_CHAINCODE__PACKAGE_ID", id.trim())];
    let chaincode = Staying::start("chaincode", &settings, "chaincode listens").await;
    assert_eq!(chaincode.probe("/healthz").await.0, 200);
    assert_eq!(chaincode.probe("/readyz").await.0, 200);
    assert_eq!(chaincode.metric("gx_chaincode_streams").await, 0.0);

    let endpoint = format!("http://127.0.0.1:{}", chaincode.port("chaincode"));
    let endpoint = Endpoint::from_shared(endpoint).unwrap();
    let mut peer = ChaincodeClient::new(endpoint.connect().await.unwrap());
    let silent = stream::pending::<ChaincodeMessage>();
    let mut said = peer.connect(silent).await.unwrap().into_inner();
    let register = said.message().await.unwrap().unwrap();
    assert_eq!(register.r#type(), Type::Register);
    let registered = ChaincodeId::decode(register.payload).unwrap();
    assert_eq!(registered.name, id.trim());
    assert_eq!(chaincode.metric("gx_chaincode_streams").await, 1.0);

    let stopped = tokio::spawn(chaincode.stop());
    assert!(
        said.message().await.unwrap().is_none(),
        "the stream is closed"
    );
    assert!(stopped.await.unwrap().0.success());
}

#[test]
fn what_is_missing_or_wrong_ends_the_start_by_its_setting() {
    let id = format!("gx_1.0:{}", "0".repeat(64));
    let id = ("GX_CHAINCODE__PACKAGE_ID", id.as_str());
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[], "chaincode.package_id"),
        (
            &[("GX_CHAINCODE__PACKAGE_ID", "gx")],
            "chaincode.package_id",
        ),
        (
            &[id, ("GX_CHAINCODE__KEY_FILE", "/nowhere")],
            "chaincode.key_file",
        ),
        (
            &[
                id,
                ("GX_CHAINCODE__CERTIFICATE_FILE", "/nowhere"),
                ("GX_CHAINCODE__KEY_FILE", "/nowhere"),
            ],
            "chaincode.certificate_file",
        ),
    ];
    for (settings, named) in cases {
        let (started, told) = tool(&["--listen-base", "0", "chaincode"], settings);
        assert!(!started && told.contains(named), "{named}: {told}");
    }
}

/// Writes a package; whether it could be written, and what was told.
fn package(out: &str, more: &[&str]) -> (bool, String) {
    let options = [
        "--label",
        "gx_1.0",
        "--address",
        "gx.example.org:9999",
        "--out",
        out,
    ];
    tool(
        &[&["chaincode", "package"], &options[..], more].concat(),
        &[],
    )
}

#[test]
fn the_package_is_the_same_each_time_and_hides_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (one, other) = (path("one.tgz"), path("other.tgz"));
    assert_eq!(package(&one, &[]), package(&other, &[]));
    assert_eq!(fs::read(&one).unwrap(), fs::read(&other).unwrap());

    fs::write(path("pem"), "a PEM").unwrap();
    let pem = path("pem");
    let root = ["--tls-root", &pem];
    let client = ["--tls-client-certificate", &pem, "--tls-client-key", &pem];
    let (written, told) = package(&one, &[root, [client[0], client[1]]].concat());
    assert!(!written && told.contains("--tls-client-key"), "{told}");
    let (written, told) = package(&one, &[&root[..], &client[..]].concat());
    assert!(written, "{told}");
    let mode = fs::metadata(&one).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let (written, told) = package("/dev/null/gx.tgz", &[]);
    assert!(!written && told.contains("/dev/null/gx.tgz"), "{told}");
}
