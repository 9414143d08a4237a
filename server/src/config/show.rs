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

/// Parameters of a URL whose values are passwords.
const PASSWORDS: [&str; 2] = ["password", "sslpassword"];

/// Shows a URL; a password in it, or a URL that cannot be read, is hidden.
pub(super) fn without_password<S: Serializer>(url: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&shown_url(url))
}

fn shown_url(text: &str) -> String {
    if text.is_empty() || text.starts_with("sqlite:") {
        return text.to_owned();
    }
    let Ok(mut url) = Url::parse(text) else {
        return HIDDEN.to_owned();
    };
    if url.password().is_some() && url.set_password(Some("hidden")).is_err() {
        return HIDDEN.to_owned();
    }
    let is_password = |name: &str| PASSWORDS.contains(&name.to_ascii_lowercase().as_str());
    if url.query_pairs().any(|(name, _)| is_password(&name)) {
        let shown = url.clone();
        let pairs = shown.query_pairs().map(|(name, value)| {
            let hidden = is_password(&name);
            (name, if hidden { "hidden".into() } else { value })
        });
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shown_settings_are_a_file_without_secrets() {
        let mut config = Config::default();
        config.database.url = "postgres://gx:first@db/gx".to_owned();
        config.database.password = "second".to_owned().into();
        config.redis.url = "redis://gx:sixth@cache/0".to_owned();
        config.redis.password = "seventh".to_owned().into();
        config.redis.sentinel_password = "eighth".to_owned().into();
        config.enroll.partner_secret = "third".to_owned().into();
        config.enroll.admin_secret = "fourth".to_owned().into();
        config.enroll.super_admin_secret = "fifth".to_owned().into();
        let shown = config.show();
        for secret in [
            "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth",
        ] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("db/gx") && shown.contains(HIDDEN), "{shown}");
        Config::from_sources(Some(&shown), []).unwrap();
    }

    #[test]
    fn a_password_among_the_parameters_is_hidden() {
        for (url, shown) in [
            (
                "postgres://db/gx?sslmode=require",
                "postgres://db/gx?sslmode=require",
            ),
            (
                "postgres://gx:one@db/gx?password=two&sslmode=require&sslpassword=three",
                "postgres://gx:hidden@db/gx?password=hidden&sslmode=require&sslpassword=hidden",
            ),
            (
                "postgres://db/gx?p%61ssword=two",
                "postgres://db/gx?password=hidden",
            ),
            (
                "postgres://db/gx?PASSWORD=two",
                "postgres://db/gx?PASSWORD=hidden",
            ),
        ] {
            assert_eq!(shown_url(url), shown);
        }
    }
}
