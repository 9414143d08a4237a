//! Compiles `proto/` into Rust types and stubs, and into one descriptor set that
//! keeps every option and comment.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=proto");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);

    let mut compiler = protox::Compiler::new([
        PathBuf::from("proto"),
        carrier("envoy-types", "proto/googleapis")?,
        carrier("tonic-types", "proto")?,
    ])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(protos(Path::new("proto"))?)?;
    // The error details travel as `Any`: whoever turns a status into JSON needs
    // their types in the set.
    compiler.open_files(["error_details.proto"])?;

    // The structs of `prost_types` drop custom options; the encoded set keeps them.
    fs::write(out.join("gx.binpb"), compiler.encode_file_descriptor_set())?;

    let services = |feature: &str| env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();
    tonic_prost_build::configure()
        .build_client(services("CLIENT"))
        .build_server(services("SERVER"))
        .bytes(".gx.contract")
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

/// Every .proto file below `root`, as a path relative to it, in a stable order.
fn protos(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "proto")
            {
                found.push(
                    path.strip_prefix(root)
                        .map(Path::to_path_buf)
                        .unwrap_or(path),
                );
            }
        }
    }
    found.sort();
    Ok(found)
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
