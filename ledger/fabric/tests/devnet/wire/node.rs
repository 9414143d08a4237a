//! Fabric's own client for Node against the devnet: its tests are in `tests/node`.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use gx_fabric::devnet::Driver;

use super::harness::Net;
use crate::{check::faults, harness::Script};

#[tokio::test(flavor = "multi_thread")]
async fn fabric_s_own_client_for_node_works_unchanged() {
    // Conflicts want two transactions in one block.
    let net = Net::with(
        Script,
        |options| options.limits.batch_timeout = Duration::from_millis(300),
        |_| {},
    )
    .await;
    let driver = Driver::start(net.core.clone());
    let address = format!("localhost:{}", net.server.address().port());
    let connection = net.material.connection(net.core.options(), &[address]);
    let file = net.folder.path().join("connection.json");
    std::fs::write(&file, serde_json::to_vec_pretty(&connection).unwrap()).unwrap();

    let authorities = net.authorities();
    let tests = tokio::task::spawn_blocking(move || run(&file));
    let told = tests.await.unwrap();
    net.server.shutdown().await.unwrap();
    driver.shutdown().await.unwrap();
    assert_eq!(told, Ok(()));
    let blocks: Vec<_> = (0..net.core.height())
        .map(|number| net.core.block(number).unwrap().unwrap())
        .collect();
    assert_eq!(faults(&blocks, &authorities), []);
}

/// What the tests tell if one fails.
fn run(connection: &Path) -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node");
    assert!(
        folder
            .join("node_modules/@hyperledger/fabric-gateway")
            .is_dir(),
        "Fabric's client is not installed: `make tools` installs it with npm (Node.js 20 or later)"
    );
    let output = Command::new("node")
        .args(["--test", "--test-concurrency=1"])
        .args([
            "transactions.test.mjs",
            "events.test.mjs",
            "offline.test.mjs",
        ])
        .current_dir(folder)
        .env("GX_CONNECTION", connection)
        .stdin(Stdio::null())
        .output();
    let output = output.expect("node is not installed: the test needs Node.js 20 or later");
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stdout).into_owned()),
    }
}
