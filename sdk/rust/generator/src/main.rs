//! `gx-sdk-generator <folder>`: writes the generated code into the folder.

use std::{env, fs, path::PathBuf};

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let folder = env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.context("which folder takes the code?")?;
    fs::create_dir_all(&folder)?;
    gx_sdk_generator::generate(&folder)
}
