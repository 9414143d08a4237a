//! An identity that lives in two files and is renewed under a running process.
//!
//! Whoever asks for it never gets a certificate with another one's key: a pair is
//! taken only if both files stood still while they were read and belong together.
//! Until then the pair that was taken before stays in use.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::watch;
use zeroize::Zeroizing;

use super::{SigningError, SigningIdentity};

/// How often files that change while they are read are read again.
const ATTEMPTS: usize = 5;
/// What the mode of a key's file may not allow: the group to change it, and all
/// others anything.
const TOO_OPEN: u32 = 0o027;

/// Why no identity can be had from its files.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others than its owner may get at the key.
    #[error("{} has mode {mode:03o}: give it 600, or 640 for a group that reads it", path.display())]
    TooOpen {
        /// The key's file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The files hold no certificate with its key.
    #[error("{} with {}: {source}", certificate.display(), key.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        source: SigningError,
    },
    /// The files changed under every attempt to read them.
    #[error("{} does not stand still", .0.display())]
    Restless(PathBuf),
}

/// A signing identity in two files.
#[derive(Debug)]
pub struct IdentityFiles {
    msp_id: String,
    certificate: PathBuf,
    key: PathBuf,
    loaded: watch::Sender<Loaded>,
    trouble: watch::Sender<Option<String>>,
    failures: AtomicU64,
}

/// What was read last, and what the files were then.
#[derive(Debug, Clone)]
struct Loaded {
    identity: Arc<SigningIdentity>,
    stamps: [Stamp; 2],
}

/// What tells one content of a file from the next: device and inode, size, and both
/// times of change.
type Stamp = [i128; 5];

impl IdentityFiles {
    /// Reads an identity for the first time; files in PEM.
    ///
    /// # Errors
    /// If there is none to be had.
    pub fn new(
        msp_id: impl Into<String>,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Result<Self, FilesError> {
        let (msp_id, certificate, key) = (msp_id.into(), certificate.into(), key.into());
        let loaded = load(&msp_id, &certificate, &key)?;
        Ok(Self {
            msp_id,
            certificate,
            key,
            loaded: watch::Sender::new(loaded),
            trouble: watch::Sender::new(None),
            failures: AtomicU64::new(0),
        })
    }

    /// The identity to sign with.
    pub fn current(&self) -> Arc<SigningIdentity> {
        self.loaded.borrow().identity.clone()
    }

    /// Until when the identity in use holds, in milliseconds since the Unix epoch.
    pub fn not_after_ms(&self) -> i64 {
        self.loaded.borrow().identity.certificate().not_after_ms()
    }

    /// Why the files as they are cannot be used, if so.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.borrow().clone()
    }

    /// How many reloads failed.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Takes the files again if they changed, and says whether it did. Reads two
    /// small files at most; what is wrong with them is logged once.
    ///
    /// # Errors
    /// If they cannot be used; then the identity before stays in use.
    pub fn reload_if_changed(&self) -> Result<bool, FilesError> {
        let reloaded = self.try_reload();
        let trouble = reloaded.as_ref().err().map(ToString::to_string);
        let told = self.trouble.send_if_modified(|told| {
            let differs = *told != trouble;
            told.clone_from(&trouble);
            differs
        });
        if let Err(error) = &reloaded {
            self.failures.fetch_add(1, Ordering::Relaxed);
            if told {
                tracing::warn!(%error, "the identity before stays in use");
            }
        }
        reloaded
    }

    fn try_reload(&self) -> Result<bool, FilesError> {
        if stamps(&self.certificate, &self.key)? == self.loaded.borrow().stamps {
            return Ok(false);
        }
        let loaded = load(&self.msp_id, &self.certificate, &self.key)?;
        self.loaded.send_replace(loaded);
        Ok(true)
    }
}

fn load(msp_id: &str, certificate: &Path, key: &Path) -> Result<Loaded, FilesError> {
    for _ in 0..ATTEMPTS {
        let before = stamps(certificate, key)?;
        let identity = read_pair(msp_id, certificate, key);
        if stamps(certificate, key)? == before {
            return Ok(Loaded {
                identity: Arc::new(identity?),
                stamps: before,
            });
        }
    }
    Err(FilesError::Restless(certificate.to_owned()))
}

fn read_pair(msp_id: &str, certificate: &Path, key: &Path) -> Result<SigningIdentity, FilesError> {
    let mode = metadata(key)?.mode() & 0o777;
    if mode & TOO_OPEN != 0 {
        let path = key.to_owned();
        return Err(FilesError::TooOpen { path, mode });
    }
    let key_text = Zeroizing::new(read(key)?);
    SigningIdentity::from_pem(msp_id, &read(certificate)?, &key_text).map_err(|source| {
        FilesError::Pair {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            source,
        }
    })
}

fn stamps(certificate: &Path, key: &Path) -> Result<[Stamp; 2], FilesError> {
    Ok([stamp(&metadata(certificate)?), stamp(&metadata(key)?)])
}

fn stamp(metadata: &fs::Metadata) -> Stamp {
    let nanos = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    [
        metadata.dev().into(),
        metadata.ino().into(),
        metadata.size().into(),
        nanos(metadata.mtime(), metadata.mtime_nsec()),
        nanos(metadata.ctime(), metadata.ctime_nsec()),
    ]
}

fn metadata(path: &Path) -> Result<fs::Metadata, FilesError> {
    fs::metadata(path).map_err(|source| unreadable(path, source))
}

fn read(path: &Path) -> Result<String, FilesError> {
    fs::read_to_string(path).map_err(|source| unreadable(path, source))
}

fn unreadable(path: &Path, source: io::Error) -> FilesError {
    let path = path.to_owned();
    FilesError::Read { path, source }
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    use tempfile::TempDir;

    use super::*;
    use crate::msp::testing::Organization;

    struct Folder(TempDir);

    impl Folder {
        fn new(pair: &(String, String)) -> Self {
            let folder = Self(TempDir::new().unwrap());
            folder.put("cert.pem", &pair.0);
            folder.put("key.pem", &pair.1);
            folder
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn put(&self, name: &str, text: &str) {
            let draft = self.path("draft");
            fs::write(&draft, text).unwrap();
            fs::set_permissions(&draft, Permissions::from_mode(0o600)).unwrap();
            fs::rename(draft, self.path(name)).unwrap();
        }

        fn open(&self) -> Result<IdentityFiles, FilesError> {
            IdentityFiles::new("Org1MSP", self.path("cert.pem"), self.path("key.pem"))
        }
    }

    #[test]
    fn a_renewed_pair_is_taken_and_an_unchanged_one_is_not_read_again() {
        let organization = Organization::new("Org1MSP");
        let (first, second) = (organization.issue(None), organization.issue(None));
        let folder = Folder::new(&first);
        let files = folder.open().unwrap();
        assert!(!files.reload_if_changed().unwrap());
        assert_eq!(files.current().certificate().pem(), first.0);
        folder.put("cert.pem", &second.0);
        folder.put("key.pem", &second.1);
        assert!(files.reload_if_changed().unwrap());
        assert_eq!(files.current().certificate().pem(), second.0);
        let until = files.current().certificate().not_after_ms();
        assert_eq!((files.not_after_ms(), files.failures()), (until, 0));
    }

    #[test]
    fn a_broken_pair_keeps_the_identity_before_in_use_and_is_counted() {
        let organization = Organization::new("Org1MSP");
        let (first, second) = (organization.issue(None), organization.issue(None));
        let folder = Folder::new(&first);
        let files = folder.open().unwrap();
        folder.put("cert.pem", &second.0);
        let refused = files.reload_if_changed().unwrap_err();
        assert!(matches!(
            refused,
            FilesError::Pair {
                source: SigningError::Foreign,
                ..
            }
        ));
        assert_eq!(files.trouble(), Some(refused.to_string()));
        fs::remove_file(folder.path("key.pem")).unwrap();
        files.reload_if_changed().unwrap_err();
        assert_eq!(files.current().certificate().pem(), first.0);
        assert_eq!(files.failures(), 2);
        folder.put("key.pem", &second.1);
        assert!(files.reload_if_changed().unwrap());
        assert_eq!(files.trouble(), None);
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let folder = Folder::new(&Organization::new("Org1MSP").issue(None));
        let open = |mode| {
            let permissions = Permissions::from_mode(mode);
            fs::set_permissions(folder.path("key.pem"), permissions).unwrap();
            folder.open().map(|_| ())
        };
        open(0o640).unwrap();
        for mode in [0o604, 0o620, 0o644] {
            assert!(matches!(open(mode), Err(FilesError::TooOpen { .. })));
        }
    }

    #[test]
    fn no_fault_shows_the_key() {
        let organization = Organization::new("Org1MSP");
        let (certificate, key) = organization.issue(None);
        let folder = Folder::new(&(key.clone(), key.clone()));
        let told = format!("{0} {0:?}", folder.open().unwrap_err());
        folder.put("cert.pem", &certificate);
        let shown = format!("{told} {:?}", folder.open().unwrap());
        let body = key.lines().nth(1).unwrap();
        assert!(!shown.contains(body), "{shown}");
    }
}
