//! What is committed is what the tools make, and Envoy takes it.

use std::path::{Path, PathBuf};

use crate::harness::{envoy, tool};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../envoy")
}

/// What `gx gateway` makes for Kubernetes.
fn for_kubernetes() -> String {
    let folder_of_test = tempfile::tempdir().unwrap();
    let made = folder_of_test.path().join("kubernetes.yaml");
    let settings = folder().join("kubernetes.toml");
    let (done, told) = tool(
        &[
            "gateway",
            "--config",
            settings.to_str().unwrap(),
            "--out",
            made.to_str().unwrap(),
        ],
        &[],
    );
    assert!(done, "{told}");
    std::fs::read_to_string(made).unwrap()
}

/// Whether Envoy would start with it.
fn check(configuration: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("envoy.yaml");
    std::fs::write(&file, configuration).unwrap();
    let output = envoy()
        .args(["--mode", "validate", "--config-path"])
        .arg(file)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
}

#[test]
fn the_configuration_for_kubernetes_is_the_committed_one() {
    let committed = std::fs::read_to_string(folder().join("kubernetes.yaml")).unwrap();
    let made = for_kubernetes();
    assert!(
        made == committed,
        "`make gateway-files` writes envoy/kubernetes.yaml anew"
    );
}

#[test]
fn the_description_of_rest_is_the_committed_one() {
    let made = tempfile::tempdir().unwrap();
    let (done, told) = tool(&["openapi", "--out", made.path().to_str().unwrap()], &[]);
    assert!(done, "{told}");
    for name in ["openapi.json", "docs.html"] {
        let [made, committed] = [made.path(), &folder()]
            .map(|folder| std::fs::read_to_string(folder.join(name)).unwrap());
        assert!(
            made == committed,
            "`make gateway-files` writes envoy/{name} anew"
        );
    }
}

#[test]
fn envoy_takes_the_configuration_for_kubernetes() {
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path().join("gx.binpb");
    std::fs::write(&set, gx_proto::FILE_DESCRIPTOR_SET).unwrap();
    let there = "/gateway/gx.binpb";
    let configuration = for_kubernetes();
    assert!(configuration.contains(there));
    check(&configuration.replace(there, set.to_str().unwrap()));
}

#[test]
fn envoy_takes_what_the_defaults_make() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("envoy.yaml");
    let (done, told) = tool(&["gateway", "--out", file.to_str().unwrap()], &[]);
    assert!(done, "{told}");
    check(&std::fs::read_to_string(file).unwrap());
}

#[test]
fn a_service_that_nobody_can_find_is_told() {
    let arguments = [
        "gateway",
        "--listen-base",
        "0",
        "--out",
        "/nonexistent/envoy.yaml",
    ];
    let (done, told) = tool(&arguments, &[("GX_GATEWAY__IDENTITY", "127.0.0.1:1")]);
    assert!(!done);
    assert!(told.contains("gateway.wallet: must be set"), "{told}");
}
