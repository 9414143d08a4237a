//! Compiles Fabric's own messages, which the package `fabric-sdk` carries, into
//! Rust types.

use std::{env, path::PathBuf};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What the wire, the blocks and the devnet need; imports come by themselves.
const FILES: &[&str] = &[
    "common/common.proto",
    "common/configtx.proto",
    "common/configuration.proto",
    "gateway/gateway.proto",
    "ledger/queryresult/kv_query_result.proto",
    "ledger/rwset/kvrwset/kv_rwset.proto",
    "ledger/rwset/rwset.proto",
    "msp/identities.proto",
    "msp/msp_config.proto",
    "orderer/ab.proto",
    "orderer/configuration.proto",
    "peer/chaincode.proto",
    "peer/chaincode_event.proto",
    "peer/chaincode_shim.proto",
    "peer/events.proto",
    "peer/proposal.proto",
    "peer/proposal_response.proto",
    "peer/transaction.proto",
];

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);

    let mut compiler = protox::Compiler::new([carrier("fabric-sdk", "fabric-protos")?])?;
    compiler.include_imports(true);
    compiler.open_files(FILES)?;

    // Maps must encode in one order, so that two endorsers come to the same bytes.
    let mut messages = prost_build::Config::new();
    messages
        .bytes(["."])
        .btree_map(["."])
        .disable_comments(["."])
        .include_file(out.join("fabric.rs"));
    // `Chaincode.Connect` would clash with the constructor that dials.
    tonic_prost_build::configure()
        .build_transport(false)
        .compile_fds_with_config(compiler.file_descriptor_set(), messages)?;
    Ok(())
}

/// The folder `sub` inside the source of the package `name`, wherever cargo keeps it.
fn carrier(name: &str, sub: &str) -> Result<PathBuf> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .other_options(vec!["--locked".into()])
        .exec()?;
    let package = metadata
        .packages
        .iter()
        .find(|package| package.name == name)
        .ok_or_else(|| format!("{name} is not in Cargo.lock"))?;
    let folder = package
        .manifest_path
        .parent()
        .ok_or("a manifest without a folder")?;
    Ok(folder.join(sub).into())
}
