//! Certificates and keys as files: written beside their place and renamed into it,
//! for the owner alone.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::MaterialError;
use crate::private;

/// A folder with one certificate and its key.
pub(super) struct Pair {
    folder: PathBuf,
}

/// What stands in such a folder.
pub(super) struct Pems {
    pub(super) certificate: Option<String>,
    pub(super) key: Option<String>,
}

impl Pair {
    /// The pair in a folder, which is made if it is missing.
    pub(super) fn open(folder: PathBuf) -> Result<Self, MaterialError> {
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder);
        made.map_err(io(&folder))?;
        Ok(Self { folder })
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The certificate's file.
    pub(super) fn certificate_path(&self) -> PathBuf {
        self.folder.join("cert.pem")
    }

    /// The key's file.
    pub(super) fn key_path(&self) -> PathBuf {
        self.folder.join("key.pem")
    }

    /// What there is.
    ///
    /// # Errors
    /// If a file cannot be read, or the key may be read by others.
    pub(super) fn read(&self) -> Result<Pems, MaterialError> {
        let key = read(&self.key_path())?;
        if key.is_some() {
            let path = self.key_path();
            let mode = fs::metadata(&path).map_err(io(&path))?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(MaterialError::Exposed { path });
            }
        }
        Ok(Pems {
            certificate: read(&self.certificate_path())?,
            key,
        })
    }

    /// Writes both. A kill between the two leaves a key without its certificate, which
    /// the next start takes for nothing.
    pub(super) fn write(&self, certificate: &str, key: &str) -> Result<(), MaterialError> {
        write(&self.key_path(), key)?;
        self.write_certificate(certificate)
    }

    /// Writes another certificate of the same key.
    pub(super) fn write_certificate(&self, certificate: &str) -> Result<(), MaterialError> {
        write(&self.certificate_path(), certificate)
    }
}

fn read(path: &Path) -> Result<Option<String>, MaterialError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io(path)(error)),
    }
}

fn write(path: &Path, text: &str) -> Result<(), MaterialError> {
    private::write(path, text.as_bytes()).map_err(io(path))
}

fn io(path: &Path) -> impl Fn(io::Error) -> MaterialError + use<> {
    let path = path.to_path_buf();
    move |source| MaterialError::Io {
        path: path.clone(),
        source,
    }
}
