//! The keys of the process: made once, at the first start, in their folder
//! ([`crate::config::Config::keys_dir`]), or given by the operator in the same files. There
//! are no default secrets, and none of these ever stands in a log.
//!
//! | file | holds | losing it means |
//! |---|---|---|
//! | `token-<n>.pem` | Ed25519, PKCS#8: signs access tokens; the highest `n` signs, all verify | everybody logs in again |
//! | `document-<n>.key` | encrypts files and document numbers; the highest `n` encrypts | they cannot be read |
//! | `document-number.key` | commits to document numbers; never rotated | one human may get two accounts |
//! | `account.key` | derives account ids from commands | a retried approval may open a second account |
//! | `registration.key` | hides one-time codes, contacts, and tokens of registrations and sessions | open registrations begin again, and everybody logs in again |
//!
//! `.key` files hold 32 bytes as 64 hexadecimal digits. A file that others than its
//! owner may change, or others than its group may read, is refused.

mod document_keys;
mod files;
mod mac_key;
mod token_key;

use std::path::Path;

use anyhow::{Context, Result, bail};

pub use document_keys::{DocumentKeys, Sealed};
pub use files::write_private;
pub use mac_key::MacKey;
pub use token_key::TokenKey;

/// The keys of the process; wiped from memory at its end, as far as the
/// libraries that use them allow.
#[derive(Debug)]
pub struct Secrets {
    /// Sign and verify access tokens; newest first, never empty.
    pub token: Vec<TokenKey>,
    /// Encrypt files and document numbers.
    pub document: DocumentKeys,
    /// Commits to document numbers.
    pub document_number: MacKey,
    /// Derives account ids from commands.
    pub account: MacKey,
    /// Hides one-time codes, contacts, and the tokens of registrations and sessions.
    pub registration: MacKey,
}

impl Secrets {
    /// Reads the keys in the folder `keys`, after making all of them if there is no
    /// such directory. A directory without one of them is an error: a key made
    /// anew beside existing data would part people from it unseen.
    ///
    /// # Errors
    /// If a file is missing, cannot be read or written, or holds no key.
    pub fn load_or_create(keys: &Path) -> Result<Self> {
        if !keys.try_exists().context(keys.display().to_string())? {
            files::create(keys)?;
        }
        Self::load(keys).with_context(|| format!("keys in {}", keys.display()))
    }

    /// Reads the keys of a system that has data, and makes none: other keys would
    /// part its people from what they have.
    ///
    /// # Errors
    /// As [`Secrets::load_or_create`], and if there is no directory.
    pub fn load_existing(keys: &Path) -> Result<Self> {
        if !keys.try_exists().context(keys.display().to_string())? {
            bail!(
                "keys are missing beside existing data: {} is not there",
                keys.display()
            );
        }
        Self::load_or_create(keys)
    }

    /// The key that signs.
    pub fn signing(&self) -> &TokenKey {
        &self.token[0]
    }

    fn load(keys: &Path) -> Result<Self> {
        Ok(Self {
            token: files::numbered(keys, "token-", ".pem")?
                .into_iter()
                .map(|(_, path)| TokenKey::from_pem(&files::read(&path)?))
                .collect::<Result<_>>()?,
            document: DocumentKeys::new(
                files::numbered(keys, "document-", ".key")?
                    .into_iter()
                    .map(|(number, path)| Ok((number, files::read_key(&path)?)))
                    .collect::<Result<_>>()?,
            ),
            document_number: MacKey::new(files::read_key(&keys.join("document-number.key"))?),
            account: MacKey::new(files::read_key(&keys.join("account.key"))?),
            registration: MacKey::new(files::read_key(&keys.join("registration.key"))?),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn keys_are_made_once_and_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let made = Secrets::load_or_create(&directory.path().join("keys")).unwrap();
        let read = Secrets::load_or_create(&directory.path().join("keys")).unwrap();
        assert_eq!(made.signing().kid(), read.signing().kid());
        assert_eq!(
            made.account.mac("t", &[b"a"]),
            read.account.mac("t", &[b"a"])
        );
        assert_ne!(
            made.account.mac("t", &[b"a"]),
            made.registration.mac("t", &[b"a"])
        );
    }

    #[test]
    fn only_the_owner_may_read_the_files() {
        let directory = tempfile::tempdir().unwrap();
        Secrets::load_or_create(&directory.path().join("keys")).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        let keys = directory.path().join("keys");
        assert_eq!(mode(&keys), 0o700);
        let files: Vec<_> = keys.read_dir().unwrap().collect();
        assert_eq!(files.len(), 5);
        for file in files {
            assert_eq!(mode(&file.unwrap().path()), 0o600);
        }
    }

    #[test]
    fn a_missing_key_is_an_error_that_names_the_file() {
        let directory = tempfile::tempdir().unwrap();
        Secrets::load_or_create(&directory.path().join("keys")).unwrap();
        for file in ["account.key", "token-1.pem", "document-1.key"] {
            let path = directory.path().join("keys").join(file);
            let content = std::fs::read(&path).unwrap();
            std::fs::remove_file(&path).unwrap();
            let error = Secrets::load_or_create(&directory.path().join("keys")).unwrap_err();
            let stem = file.trim_end_matches("1.pem").trim_end_matches("1.key");
            assert!(format!("{error:#}").contains(stem), "{error:#}");
            write_private(&path, &content).unwrap();
        }
    }

    #[test]
    fn a_key_that_others_may_read_or_change_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        Secrets::load_or_create(&directory.path().join("keys")).unwrap();
        let path = directory.path().join("keys/account.key");
        let load = |mode| {
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            Secrets::load_or_create(&directory.path().join("keys"))
        };
        for mode in [0o644, 0o604, 0o620, 0o660, 0o602] {
            let error = format!("{:#}", load(mode).unwrap_err());
            assert!(
                error.contains("account.key") && error.contains("mode"),
                "{error}"
            );
        }
        for mode in [0o400, 0o600, 0o640, 0o440] {
            assert!(load(mode).is_ok(), "{mode:o}");
        }
    }

    #[test]
    fn keys_beside_data_are_never_made_anew() {
        let directory = tempfile::tempdir().unwrap();
        let error = Secrets::load_existing(&directory.path().join("keys")).unwrap_err();
        assert!(error.to_string().contains("keys are missing"), "{error}");
        assert!(!directory.path().join("keys").exists());
        let made = Secrets::load_or_create(&directory.path().join("keys")).unwrap();
        let read = Secrets::load_existing(&directory.path().join("keys")).unwrap();
        assert_eq!(made.signing().kid(), read.signing().kid());
    }

    #[test]
    fn the_highest_number_is_in_use_and_older_ones_still_work() {
        let directory = tempfile::tempdir().unwrap();
        let old = Secrets::load_or_create(&directory.path().join("keys")).unwrap();
        let sealed = old.document.seal(b"a", b"content");
        let other = tempfile::tempdir().unwrap();
        Secrets::load_or_create(&other.path().join("keys")).unwrap();
        for (from, to) in [
            ("token-1.pem", "token-2.pem"),
            ("document-1.key", "document-10.key"),
        ] {
            let to = directory.path().join("keys").join(to);
            std::fs::copy(other.path().join("keys").join(from), to).unwrap();
        }
        let rotated = Secrets::load_or_create(&directory.path().join("keys")).unwrap();
        assert_ne!(rotated.signing().kid(), old.signing().kid());
        assert_eq!(rotated.token[1].kid(), old.signing().kid());
        assert_eq!(rotated.document.open(&sealed, b"a").unwrap(), b"content");
        assert_eq!(rotated.document.seal(b"a", b"content").key_id, 10);
    }

    #[test]
    fn nothing_secret_is_shown() {
        let directory = tempfile::tempdir().unwrap();
        let secrets = Secrets::load_or_create(&directory.path().join("keys")).unwrap();
        let hex = std::fs::read_to_string(directory.path().join("keys/account.key")).unwrap();
        assert!(!format!("{secrets:?}").contains(hex.trim()));
        assert_eq!(format!("{:?}", secrets.account), "MacKey");
        assert_eq!(format!("{:?}", secrets.document), "DocumentKeys");
    }
}
