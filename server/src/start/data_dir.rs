//! The folder for a process's files: its owner's alone, and one process's of a role.

use std::{
    fs::{self, DirBuilder, File, Permissions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
};

use anyhow::{Context, bail};

/// Makes the data directory, readable by its owner alone, and locks it for this
/// process among those of the same `role`. The lock ends with the process, however it
/// ends.
///
/// # Errors
/// If it cannot be made, or another process has it; the error says which.
pub fn lock_data_dir(folder: &Path, role: &str) -> anyhow::Result<File> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("data_dir {} cannot be made", folder.display()))?;
    // One that was there may have been open to others.
    fs::set_permissions(folder, Permissions::from_mode(0o700))
        .with_context(|| format!("data_dir {} cannot be closed to others", folder.display()))?;
    let path = folder.join(format!("{role}.lock"));
    let mut file = File::options()
        .create(true)
        .read(true)
        .write(true)
        .truncate(false)
        .open(&path)
        .with_context(|| format!("{} cannot be opened", path.display()))?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            file.rewind()?;
            write!(file, "{}", std::process::id())?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder)?;
            bail!(
                "data_dir {} is in use by process {holder}, which runs {role} too",
                folder.display()
            )
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("{} cannot be locked", path.display()))
        }
    }
}
