//! Makes the generated part of `gx-sdk` out of the contract's descriptor set, so that
//! the published crate needs neither .proto files nor a compiler for them.

use std::path::Path;

use prost::Message as _;
use prost_types::FileDescriptorSet;

/// Packages whose messages and clients the SDK has. The chain's own words are not
/// served, and annotations are for gateways.
const PACKAGES: [&str; 8] = [
    "google.protobuf",
    "google.rpc",
    "gx.common.v1",
    "gx.identity.v1",
    "gx.ledger.v1",
    "gx.operation.v1",
    "gx.tokenomics.v1",
    "gx.wallet.v1",
];

/// Writes messages and clients into an existing `folder`, a file a package.
///
/// # Errors
/// If the set cannot be decoded, or the folder cannot be written.
pub fn generate(folder: &Path) -> anyhow::Result<()> {
    let mut files = FileDescriptorSet::decode(gx_proto::FILE_DESCRIPTOR_SET)?;
    files.file.retain(|file| PACKAGES.contains(&file.package()));
    let mut names = prost_build::Config::new();
    // By their names the details of an error are told apart.
    names.enable_type_names();
    tonic_prost_build::configure()
        .build_server(false)
        .emit_rerun_if_changed(false)
        .out_dir(folder)
        .compile_fds_with_config(files, names)?;
    Ok(())
}
