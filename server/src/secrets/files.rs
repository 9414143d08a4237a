//! How keys stand in files: readable by their owner alone, written whole or not at
//! all.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use zeroize::Zeroizing;

use super::TokenKey;
use crate::id::random_bytes;

/// A symmetric key.
pub(super) type Key = Zeroizing<[u8; 32]>;

/// Makes a directory with every key in it. It gets its name only when it is
/// complete, so a crash leaves none or all of them.
pub(super) fn create(keys: &Path) -> Result<()> {
    let draft = keys.with_extension(hex::encode(random_bytes::<8>()));
    DirBuilder::new()
        .mode(0o700)
        .create(&draft)
        .with_context(|| draft.display().to_string())?;
    write_private(&draft.join("token-1.pem"), TokenKey::new_pem().as_bytes())?;
    for name in [
        "document-1.key",
        "document-number.key",
        "account.key",
        "registration.key",
    ] {
        let key: Key = random_bytes().into();
        let line = Zeroizing::new(format!("{}\n", *Zeroizing::new(hex::encode(*key))));
        write_private(&draft.join(name), line.as_bytes())?;
    }
    File::open(&draft)?.sync_all()?;
    fs::rename(&draft, keys).with_context(|| keys.display().to_string())?;
    if let Some(parent) = keys.parent() {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

/// Writes a file that only its owner may read; in its place stands the old
/// content or the whole of the new one.
///
/// # Errors
/// If the directory cannot be written to.
pub fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    let draft = path.with_extension(hex::encode(random_bytes::<8>()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .with_context(|| draft.display().to_string())?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&draft, path).with_context(|| path.display().to_string())
}

/// The files `<prefix><n><suffix>`, highest number first; at least one.
pub(super) fn numbered(keys: &Path, prefix: &str, suffix: &str) -> Result<Vec<(i32, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(keys)? {
        let path = entry?.path();
        let number = path
            .file_name()
            .and_then(|name| name.to_str()?.strip_prefix(prefix)?.strip_suffix(suffix))
            .and_then(|number| number.parse().ok());
        found.extend(number.map(|number| (number, path)));
    }
    if found.is_empty() {
        bail!("there is no {prefix}<number>{suffix}");
    }
    found.sort_by(|a, b| b.cmp(a));
    Ok(found)
}

/// What the mode of a key's file may not allow: the group to change it, and all
/// others anything.
const TOO_OPEN: u32 = 0o027;

/// The text of a file that is private enough.
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>> {
    let metadata = fs::metadata(path).with_context(|| path.display().to_string())?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & TOO_OPEN != 0 {
        bail!(
            "{} has mode {mode:03o}: give it 600, or 640 for a group that reads it",
            path.display()
        );
    }
    fs::read_to_string(path)
        .map(Zeroizing::new)
        .with_context(|| path.display().to_string())
}

/// A key of 64 hexadecimal digits.
pub(super) fn read_key(path: &Path) -> Result<Key> {
    let mut key = Key::default();
    hex::decode_to_slice(read(path)?.trim(), key.as_mut_slice())
        .with_context(|| format!("{} must hold 64 hexadecimal digits", path.display()))?;
    Ok(key)
}
