//! The contract of the interface is clean under buf's lint, comments included.

use std::process::Command;

/// Where `make tools` installs buf is on the path of `make test`.
const MISSING: &str = "buf is not on PATH: `make tools` installs it";

#[test]
fn the_protos_are_clean_under_buf() {
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path().join("gx.binpb");
    std::fs::write(&set, gx_proto::FILE_DESCRIPTOR_SET).unwrap();
    let configuration = concat!(env!("CARGO_MANIFEST_DIR"), "/../proto/buf.yaml");
    let output = Command::new("buf")
        .arg("lint")
        .arg(&set)
        .args(["--config", configuration, "--path", "gx"])
        .output()
        .expect(MISSING);
    let found = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{found}{failed}");
}
