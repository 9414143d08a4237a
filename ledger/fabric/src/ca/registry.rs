//! Who may enrol: the identities that each authority knows, in one file.
//!
//! The file holds the secrets as they are, so that whoever runs the devnet can hand
//! them out; only its owner may read it.

use std::{collections::BTreeMap, io, path::Path};

use gx_contract::ChainRole;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use super::Unit;
use crate::{
    msp::{FilesError, read_private},
    private,
};

/// Why the identities cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The file cannot be read, or others may read it.
    #[error(transparent)]
    Read(#[from] FilesError),
    /// The file cannot be written.
    #[error("{path}: {source}")]
    Write {
        /// The file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// The file does not hold what it should. Says where, not what stands there.
    #[error("{path}: not a registry of identities, line {line}")]
    Content {
        /// The file.
        path: String,
        /// The line that cannot be read.
        line: usize,
    },
}

/// The identities of several authorities, by the authority's name.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Registry {
    authorities: BTreeMap<String, Vec<Registration>>,
}

/// Somebody who may enrol.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// The name under which the authority knows it.
    pub id: String,
    /// What it shows to enrol.
    #[serde(serialize_with = "exposed")]
    pub secret: SecretString,
    /// What it is.
    #[serde(rename = "type")]
    pub unit: Unit,
    /// Where in the organization it belongs; empty for the whole.
    #[serde(default)]
    pub affiliation: String,
    /// What its certificates may say about it.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
}

/// What a certificate may say about its holder.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether it stands in a certificate for which no attributes are asked.
    #[serde(default)]
    pub ecert: bool,
}

impl Registry {
    /// Reads the file. Authorities that are not in it get the identities of a devnet
    /// with secrets by chance, and the file is written.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn load_or_create(path: &Path, authorities: &[&str]) -> Result<Self, RegistryError> {
        let mut registry = match path.exists() {
            true => Self::load(path)?,
            false => Self::default(),
        };
        let known = registry.authorities.len();
        for name in authorities {
            let entry = registry.authorities.entry((*name).to_owned());
            entry.or_insert_with(devnet_identities);
        }
        if registry.authorities.len() > known {
            registry.save(path)?;
        }
        Ok(registry)
    }

    /// Adds an authority with its identities.
    #[must_use]
    pub fn with(mut self, authority: impl Into<String>, known: Vec<Registration>) -> Self {
        self.authorities.insert(authority.into(), known);
        self
    }

    /// Whom an authority knows.
    pub fn of(&self, authority: &str) -> &[Registration] {
        self.authorities.get(authority).map_or(&[], Vec::as_slice)
    }

    fn load(path: &Path) -> Result<Self, RegistryError> {
        let text = read_private(path)?;
        serde_json::from_str(&text).map_err(|error| RegistryError::Content {
            path: path.display().to_string(),
            line: error.line(),
        })
    }

    fn save(&self, path: &Path) -> Result<(), RegistryError> {
        let written = serde_json::to_vec_pretty(self)
            .map_err(io::Error::from)
            .and_then(|json| private::write(path, &zeroize::Zeroizing::new(json)));
        written.map_err(|source| RegistryError::Write {
            path: path.display().to_string(),
            source,
        })
    }
}

impl Registration {
    /// A client with a secret by chance, and a role that stands in every certificate.
    pub fn client(id: impl Into<String>, role: Option<ChainRole>) -> Self {
        let role = role.map(|role| Attribute {
            name: crate::msp::ROLE.to_owned(),
            value: role.attribute().to_owned(),
            ecert: true,
        });
        Self {
            id: id.into(),
            secret: private::chance().into(),
            unit: Unit::Client,
            affiliation: String::new(),
            attributes: role.into_iter().collect(),
        }
    }

    /// All attributes, with those that Fabric CA gives to everybody.
    pub(super) fn all_attributes(&self) -> Vec<Attribute> {
        let given = [
            ("hf.EnrollmentID", self.id.as_str()),
            ("hf.Type", self.unit.name()),
            ("hf.Affiliation", &self.affiliation),
        ];
        let given = given.map(|(name, value)| Attribute {
            name: name.to_owned(),
            value: value.to_owned(),
            ecert: true,
        });
        given.into_iter().chain(self.attributes.clone()).collect()
    }
}

/// One identity a role, and one without.
fn devnet_identities() -> Vec<Registration> {
    [
        ("partner", Some(ChainRole::Partner)),
        ("admin", Some(ChainRole::Admin)),
        ("super_admin", Some(ChainRole::SuperAdmin)),
        ("user", None),
    ]
    .map(|(id, role)| Registration::client(id, role))
    .into()
}

fn exposed<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn secrets(registry: &Registry, authority: &str) -> Vec<String> {
        let known = registry.of(authority).iter();
        known
            .map(|one| one.secret.expose_secret().to_owned())
            .collect()
    }

    #[test]
    fn secrets_are_made_once_differ_and_stand_in_a_private_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("registry.json");
        let first = Registry::load_or_create(&path, &["ca-one"]).unwrap();
        let both = Registry::load_or_create(&path, &["ca-one", "ca-two"]).unwrap();
        assert_eq!(secrets(&first, "ca-one"), secrets(&both, "ca-one"));
        let mut all = [secrets(&both, "ca-one"), secrets(&both, "ca-two")].concat();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 8);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let shown = format!("{both:?}");
        assert!(all.iter().all(|secret| !shown.contains(secret)), "{shown}");
    }

    #[test]
    fn a_file_that_others_may_read_or_that_is_damaged_is_refused_without_showing_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("registry.json");
        Registry::load_or_create(&path, &["ca-one"]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = Registry::load_or_create(&path, &[]).unwrap_err();
        assert!(matches!(refused, RegistryError::Read(_)));
        private::write(&path, br#"{"ca-one": "hush"}"#).unwrap();
        let refused = Registry::load_or_create(&path, &[]).unwrap_err();
        let told = format!("{refused} {refused:?}");
        assert!(told.contains("line 1") && !told.contains("hush"), "{told}");
    }
}
