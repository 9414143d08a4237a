//! Fabric's own client for Node, against our server.

use std::{path::Path, process::Stdio};

use gx_contract::ChainRole;
use gx_fabric::msp::Certificate;
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command};

use crate::harness::{Ca, NAMES};

async fn node(arguments: &[&str], input: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node-ca");
    let packages = folder.join("node_modules");
    assert!(
        packages.is_dir(),
        "make tools installs {}",
        packages.display()
    );
    let mut child = Command::new("node")
        .current_dir(folder)
        .arg("enrol.js")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node is needed: make tools installs it");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).await.unwrap();
    drop(stdin);
    let ended = child.wait_with_output().await.unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{told}");
    serde_json::from_slice(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {told}"))
}

#[tokio::test]
async fn fabrics_own_client_enrols_and_enrols_again() {
    let ca = Ca::start().await;
    let folder = tempfile::tempdir().unwrap();
    let tls = folder.path().join("tls.pem");
    std::fs::write(&tls, ca.tls.certificate_pem()).unwrap();
    let (_, port) = ca.url.rsplit_once(':').unwrap();
    let secret = ca.secret(NAMES[0], "partner");
    let learnt = node(&[port, tls.to_str().unwrap()], secret.expose_secret()).await;

    let text = |name: &str| learnt[name].as_str().unwrap().to_owned();
    let [first, usual, again] =
        ["first", "usual", "again"].map(|name| Certificate::from_pem(&text(name)).unwrap());
    for certificate in [&first, &usual, &again] {
        assert!(certificate.is_issued_by(ca.authorities[0].certificate()));
        assert_eq!(certificate.common_name(), Some("partner"));
        assert_eq!(certificate.role(), Some(ChainRole::Partner));
    }
    assert_eq!(first.attribute("hf.Type"), None);
    assert_eq!(usual.attribute("hf.Type"), Some("client"));
    assert_ne!(first.key(), again.key());
    let root = ca.authorities[0].certificate_pem();
    assert_eq!(
        (text("root").as_str(), text("chain").as_str()),
        (root, root)
    );
    assert_eq!(text("name"), NAMES[0]);
    let refused = text("refused");
    assert!(refused.contains("Authentication failure"), "{refused}");
}
