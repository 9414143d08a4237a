//! `gx config check` and `gx config defaults`: what the settings are and mean.

use std::fmt;

use serde::{Serialize, Serializer};

use super::report::Report;
use crate::config::{Config, DEFAULTS};

/// The settings in force, secrets hidden.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Effective(Config);

/// Shows the settings in force; that they are right was checked before.
///
/// # Errors
/// None.
pub async fn check(config: Config, (): ()) -> anyhow::Result<Effective> {
    Ok(Effective(config))
}

impl fmt::Display for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.show().trim_end())
    }
}

impl Report for Effective {}

/// The default file: as text with its comments, as JSON without.
#[derive(Debug)]
pub struct Defaults(toml::Table);

/// Shows the default file.
///
/// # Errors
/// None; a test holds that the file can be read.
pub fn defaults() -> anyhow::Result<Defaults> {
    Ok(Defaults(DEFAULTS.parse()?))
}

impl fmt::Display for Defaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(DEFAULTS.trim_end())
    }
}

impl Serialize for Defaults {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Report for Defaults {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_a_file_that_can_be_used() {
        let text = defaults().unwrap().to_string();
        assert!(text.contains("# "));
        Config::from_sources(Some(&text), []).unwrap();
    }

    #[tokio::test]
    async fn secrets_are_hidden_in_both_forms() {
        let mut config = Config::default();
        config.database.password = "a secret".to_owned().into();
        let report = check(config, ()).await.unwrap();
        let json = serde_json::to_string(&report).unwrap();
        for form in [report.to_string(), json] {
            assert!(
                !form.contains("a secret") && form.contains("hidden"),
                "{form}"
            );
        }
    }
}
