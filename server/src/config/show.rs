//! The effective settings, for people: secrets hidden.

use secrecy::{ExposeSecret, SecretString};
use serde::Serializer;
use url::Url;

use super::Config;

const HIDDEN: &str = "(hidden)";

impl Config {
    /// The effective settings as TOML, secrets hidden.
    pub fn show(&self) -> String {
        toml::to_string(self).unwrap_or_else(|error| format!("# cannot be shown: {error}\n"))
    }
}

/// Shows whether there is a secret, never which.
pub(super) fn hidden<S: Serializer>(
    secret: &SecretString,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let shown = if secret.expose_secret().is_empty() {
        ""
    } else {
        HIDDEN
    };
    serializer.serialize_str(shown)
}

/// Shows a URL; a password in it, or a URL that cannot be read, is hidden.
pub(super) fn without_password<S: Serializer>(url: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&shown_url(url))
}

fn shown_url(text: &str) -> String {
    if text.is_empty() || text.starts_with("sqlite:") {
        return text.to_owned();
    }
    match Url::parse(text) {
        Ok(url) if url.password().is_none() => text.to_owned(),
        Ok(mut url) => match url.set_password(Some("hidden")) {
            Ok(()) => url.to_string(),
            Err(()) => HIDDEN.to_owned(),
        },
        Err(_) => HIDDEN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shown_settings_are_a_file_without_secrets() {
        let mut config = Config::default();
        config.database.url = "postgres://gx:first@db/gx".to_owned();
        config.database.password = "second".to_owned().into();
        let shown = config.show();
        assert!(
            !shown.contains("first") && !shown.contains("second"),
            "{shown}"
        );
        assert!(shown.contains("db/gx") && shown.contains(HIDDEN), "{shown}");
        Config::from_sources(Some(&shown), []).unwrap();
    }
}
