//! Files that only their owner reads, written whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Writes a file; in its place stands the old content or the whole of the new one.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = path.with_extension(chance());
    create(&draft, content)?;
    fs::rename(&draft, path)?;
    path.parent().map_or(Ok(()), sync)
}

/// Writes a file that is not there yet.
pub(crate) fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Has the names in a directory survive a loss of power.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// A name, or a secret, that nobody guesses.
pub(crate) fn chance() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}
