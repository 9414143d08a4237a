//! Where this process keeps its files, finds its database and listens.

use std::path::PathBuf;

use etcetera::BaseStrategy;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Config, Database};
use crate::store::{DatabaseUrl, Places};

impl Config {
    /// The folder for files: the one that is set, else `gx` in the user's state
    /// directory.
    pub fn data_dir(&self) -> PathBuf {
        if self.data_dir.is_empty() {
            state_dir().unwrap_or_default().join("gx")
        } else {
            PathBuf::from(&self.data_dir)
        }
    }

    /// The folder for keys: the one that is set, else `keys` in [`Config::data_dir`].
    pub fn keys_dir(&self) -> PathBuf {
        if self.keys_dir.is_empty() {
            self.data_dir().join("keys")
        } else {
            PathBuf::from(&self.keys_dir)
        }
    }

    /// The folder for identities of the ledger: the one that is set, else `identities`
    /// in [`Config::data_dir`].
    pub fn identities_dir(&self) -> PathBuf {
        if self.enroll.folder.is_empty() {
            self.data_dir().join("identities")
        } else {
            PathBuf::from(&self.enroll.folder)
        }
    }

    /// The name of this process in leases: the one that is set, else the host's.
    pub fn instance(&self) -> String {
        if self.instance.is_empty() {
            gethostname::gethostname().to_string_lossy().into_owned()
        } else {
            self.instance.clone()
        }
    }

    /// Where the database is: a file in [`Config::data_dir`] unless set.
    ///
    /// # Errors
    /// If the URL cannot be read; the message does not hold it, for it may hold a
    /// password.
    pub fn database_url(&self) -> Result<DatabaseUrl, String> {
        let url = &self.database.url;
        if url.is_empty() {
            return Ok(DatabaseUrl::SqliteFile(self.data_dir().join("gx.sqlite")));
        }
        let password = self.database.password.expose_secret();
        match url.parse()? {
            DatabaseUrl::Postgres(_) => {
                Ok(DatabaseUrl::Postgres(postgres_url(url, password)?.into()))
            }
            other => Ok(other),
        }
    }

    /// Which database to open, and how.
    ///
    /// # Errors
    /// As [`Config::database_url`]; the message begins with the key.
    pub fn database(&self) -> Result<Places, String> {
        let url = self.database_url();
        Ok(Places {
            url: url.map_err(|fault| format!("database.url: {fault}"))?,
            copy: self
                .database_copy()
                .map_err(|fault| format!("database.read_url: {fault}"))?,
            migrate: self.database.migrate,
        })
    }

    fn database_copy(&self) -> Result<Option<SecretString>, String> {
        let Database {
            url,
            read_url,
            password,
            ..
        } = &self.database;
        if read_url.is_empty() {
            return Ok(None);
        }
        let both: Result<(DatabaseUrl, DatabaseUrl), _> =
            url.parse().and_then(|url| Ok((url, read_url.parse()?)));
        match both {
            Ok((DatabaseUrl::Postgres(_), DatabaseUrl::Postgres(_))) => Ok(Some(
                postgres_url(read_url, password.expose_secret())?.into(),
            )),
            _ => Err("only PostgreSQL has copies that follow it".to_owned()),
        }
    }

    /// Sets the ports to follow each other from `base` (identity, wallet,
    /// tokenomics, metrics, devnet, its CA, its second gateway), or all to free ones if
    /// it is 0, the chaincode's too, which else stays where its package says that it is.
    pub fn set_listen_base(&mut self, base: u16) {
        let port = |offset| {
            if base == 0 {
                0
            } else {
                base.saturating_add(offset)
            }
        };
        self.listen.identity = port(0);
        self.listen.wallet = port(1);
        self.listen.tokenomics = port(2);
        self.listen.metrics = port(3);
        self.listen.devnet = port(4);
        self.listen.devnet_ca = port(5);
        self.listen.devnet_org2 = port(6);
        if base == 0 {
            self.chaincode.port = 0;
        }
    }
}

/// The user's directory for state, if the user has one.
pub(super) fn state_dir() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.state_dir().unwrap_or_else(|| strategy.data_dir()))
}

/// The URL with the password that stands apart, if there is one.
fn postgres_url(text: &str, password: &str) -> Result<String, String> {
    let mut url = Url::parse(text).map_err(|error| format!("is no URL: {error}"))?;
    if !url.has_host() {
        return Err("has no host".to_owned());
    }
    if !password.is_empty() {
        // Everything but letters and digits: a `%` would pass `set_password` and
        // be decoded by the driver.
        let encoded = utf8_percent_encode(password, NON_ALPHANUMERIC).to_string();
        url.set_password(Some(&encoded))
            .map_err(|()| "has no place for a password".to_owned())?;
    }
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;

    use super::*;

    fn placed() -> Config {
        Config {
            data_dir: "/var/lib/gx".to_owned(),
            ..Config::default()
        }
    }

    fn postgres(url: &str, password: &str) -> Result<Url, String> {
        let mut config = Config::default();
        config.database.url = url.to_owned();
        config.database.password = password.to_owned().into();
        match config.database_url()? {
            DatabaseUrl::Postgres(url) => Ok(Url::parse(url.expose_secret()).unwrap()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn any_password_survives_the_url() {
        for password in ["p/a=s?s#w@:d", "100%41", "ü \u{1f511}", "plain"] {
            let url = postgres("postgres://gx@db:5433/gx?sslmode=require", password).unwrap();
            let encoded = url.password().unwrap();
            assert_eq!(percent_decode_str(encoded).decode_utf8().unwrap(), password);
            assert_eq!(
                (url.host_str(), url.port(), url.path()),
                (Some("db"), Some(5433), "/gx")
            );
        }
    }

    #[test]
    fn a_password_in_the_url_stays_unless_another_stands_apart() {
        assert_eq!(
            postgres("postgres://gx:in@db/gx", "").unwrap().password(),
            Some("in")
        );
        assert_eq!(
            postgres("postgres://gx:in@db/gx", "out")
                .unwrap()
                .password(),
            Some("out")
        );
    }

    #[test]
    fn the_database_is_a_file_in_the_data_folder_by_default() {
        let DatabaseUrl::SqliteFile(path) = placed().database_url().unwrap() else {
            panic!("not SQLite");
        };
        assert_eq!(path, PathBuf::from("/var/lib/gx/gx.sqlite"));
    }

    #[test]
    fn keys_are_in_the_data_folder_unless_they_have_one_of_their_own() {
        let mut config = placed();
        assert_eq!(config.keys_dir(), PathBuf::from("/var/lib/gx/keys"));
        config.keys_dir = "/run/keys".to_owned();
        assert_eq!(config.keys_dir(), PathBuf::from("/run/keys"));
    }

    #[test]
    fn a_copy_has_the_password_too_and_belongs_to_a_postgres() {
        let mut config = Config::default();
        config.database.url = "postgres://gx@db/gx".to_owned();
        config.database.read_url = "postgres://gx@copy/gx".to_owned();
        config.database.password = "pass".to_owned().into();
        let copy = config.database().unwrap().copy.unwrap();
        assert_eq!(copy.expose_secret(), "postgres://gx:pass@copy/gx");
        config.database.url = String::new();
        let told = config.database().unwrap_err();
        assert!(told.starts_with("database.read_url"), "{told}");
    }

    #[test]
    fn an_unreadable_url_is_not_repeated() {
        for url in ["mysql://gx:secret@db/gx", "postgres://gx:secret@:x/"] {
            let error = postgres(url, "").unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_base_sets_all_ports() {
        let mut config = Config::default();
        config.set_listen_base(4000);
        assert_eq!(
            (config.listen.identity, config.listen.metrics),
            (4000, 4003)
        );
        config.set_listen_base(0);
        assert_eq!((config.listen.wallet, config.listen.metrics), (0, 0));
    }

    #[test]
    fn the_instance_has_a_name() {
        let mut config = Config::default();
        assert!(!config.instance().is_empty());
        config.instance = "gx-1".to_owned();
        assert_eq!(config.instance(), "gx-1");
    }
}
