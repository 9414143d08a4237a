//! Where an identity's files live: `cert.pem`, `key.pem` and `ca.pem` in a folder
//! of its own.
//!
//! The three change together. Each is a link through `current`, a link to a folder
//! that is complete before it is linked to and never changed after; renewing moves
//! that one link. The version before stays, for whoever is just reading it.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt, symlink},
    path::{Path, PathBuf},
};

use super::Enrolment;
use crate::{
    msp::{FilesError, IdentityFiles},
    private,
};

const CERTIFICATE: &str = "cert.pem";
const KEY: &str = "key.pem";
const AUTHORITIES: &str = "ca.pem";
const CURRENT: &str = "current";
const VERSION: &str = "version-";

/// Why an identity's files cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct FolderError {
    path: PathBuf,
    source: io::Error,
}

/// The folder of one identity.
#[derive(Debug, Clone)]
pub struct IdentityFolder {
    path: PathBuf,
}

impl IdentityFolder {
    /// A folder that need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where the certificate stands.
    pub fn certificate(&self) -> PathBuf {
        self.path.join(CERTIFICATE)
    }

    /// Where its key stands.
    pub fn key(&self) -> PathBuf {
        self.path.join(KEY)
    }

    /// Opens the identity, or says that there is none yet.
    ///
    /// # Errors
    /// If there is one that cannot be used.
    pub fn open(&self, msp_id: &str) -> Result<Option<IdentityFiles>, FilesError> {
        let there = |path: PathBuf| path.symlink_metadata().is_ok();
        if !there(self.certificate()) && !there(self.key()) {
            return Ok(None);
        }
        IdentityFiles::new(msp_id, self.certificate(), self.key()).map(Some)
    }

    /// Puts an identity in place of the one before, if any.
    ///
    /// # Errors
    /// If the folder cannot be written to; then the identity before is still in place.
    pub fn write(&self, enrolment: &Enrolment) -> Result<(), FolderError> {
        let written = self.try_write(enrolment);
        written.map_err(|source| FolderError {
            path: self.path.clone(),
            source,
        })
    }

    fn try_write(&self, enrolment: &Enrolment) -> io::Result<()> {
        private_folder(&self.path)?;
        let before = fs::read_link(self.path.join(CURRENT)).ok();
        let version = PathBuf::from(format!("{VERSION}{}", private::chance()));
        let folder = self.path.join(&version);
        private_folder(&folder)?;
        private::create(&folder.join(KEY), enrolment.key.as_bytes())?;
        private::create(&folder.join(CERTIFICATE), enrolment.certificate.as_bytes())?;
        private::create(&folder.join(AUTHORITIES), enrolment.authorities.as_bytes())?;
        private::sync(&folder)?;
        self.link(CURRENT, &version)?;
        for name in [KEY, CERTIFICATE, AUTHORITIES] {
            let through = Path::new(CURRENT).join(name);
            if fs::read_link(self.path.join(name)).ok().as_ref() != Some(&through) {
                self.link(name, &through)?;
            }
        }
        private::sync(&self.path)?;
        self.prune(&[Some(version), before])
    }

    /// Makes a link, in one step in place of what has the name.
    fn link(&self, name: &str, target: &Path) -> io::Result<()> {
        let draft = self.path.join(private::chance());
        symlink(target, &draft)?;
        fs::rename(draft, self.path.join(name))
    }

    /// Removes all versions but some.
    fn prune(&self, kept: &[Option<PathBuf>]) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let name = PathBuf::from(entry?.file_name());
            let is_version = name.to_string_lossy().starts_with(VERSION);
            if is_version && !kept.iter().flatten().any(|kept| *kept == name) {
                fs::remove_dir_all(self.path.join(name))?;
            }
        }
        Ok(())
    }
}

fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::PermissionsExt, sync::Barrier, thread};

    use super::*;
    use crate::msp::testing::Organization;

    fn enrolment(organization: &Organization) -> Enrolment {
        let (certificate, key) = organization.issue(None);
        Enrolment {
            certificate,
            key: key.into(),
            authorities: organization.pem().to_owned(),
            root: organization.pem().to_owned(),
        }
    }

    #[test]
    fn an_identity_is_private_and_the_one_before_gives_way() {
        let (organization, place) = (Organization::new("A"), tempfile::tempdir().unwrap());
        let folder = IdentityFolder::new(place.path().join("partner"));
        assert!(folder.open("A").unwrap().is_none());
        let all: Vec<_> = (0..4).map(|_| enrolment(&organization)).collect();
        folder.write(&all[0]).unwrap();
        let files = folder.open("A").unwrap().unwrap();
        for next in &all[1..] {
            folder.write(next).unwrap();
            assert!(files.reload_if_changed().unwrap());
            assert_eq!(files.current().certificate().pem(), next.certificate);
        }
        let mode = |name| {
            let metadata = fs::metadata(place.path().join("partner").join(name));
            metadata.unwrap().permissions().mode() & 0o777
        };
        assert_eq!([CERTIFICATE, KEY, AUTHORITIES].map(mode), [0o600; 3]);
        let versions = fs::read_dir(place.path().join("partner")).unwrap();
        let versions = versions.map(|entry| entry.unwrap().file_name());
        let versions = versions.filter(|name| name.to_string_lossy().starts_with(VERSION));
        assert_eq!(versions.count(), 2);
    }

    #[test]
    fn files_laid_by_hand_give_way_too() {
        let (organization, place) = (Organization::new("A"), tempfile::tempdir().unwrap());
        let (by_hand, issued) = (enrolment(&organization), enrolment(&organization));
        let folder = IdentityFolder::new(place.path());
        private::create(&folder.certificate(), by_hand.certificate.as_bytes()).unwrap();
        private::create(&folder.key(), by_hand.key.as_bytes()).unwrap();
        let files = folder.open("A").unwrap().unwrap();
        folder.write(&issued).unwrap();
        assert!(files.reload_if_changed().unwrap());
        assert_eq!(files.current().certificate().pem(), issued.certificate);
    }

    #[test]
    fn whoever_loads_while_it_changes_never_pairs_a_key_with_another_certificate() {
        let (organization, place) = (Organization::new("A"), tempfile::tempdir().unwrap());
        let folder = IdentityFolder::new(place.path());
        folder.write(&enrolment(&organization)).unwrap();
        let files = folder.open("A").unwrap().unwrap();
        let begin = Barrier::new(2);
        thread::scope(|scope| {
            let writer = scope.spawn(|| {
                begin.wait();
                for _ in 0..100 {
                    folder.write(&enrolment(&organization)).unwrap();
                }
            });
            begin.wait();
            while !writer.is_finished() {
                // A reader so slow that two versions pass it may find none whole.
                let _ = files.reload_if_changed();
                let identity = files.current();
                let signature = identity.sign(b"message");
                assert!(identity.certificate().has_signed(b"message", &signature));
            }
        });
        files.reload_if_changed().unwrap();
        let last = fs::read_to_string(folder.certificate()).unwrap();
        assert_eq!(files.current().certificate().pem(), last);
    }
}
