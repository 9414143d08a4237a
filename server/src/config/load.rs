//! Gathers the settings: defaults, file, environment; later ones override.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use super::{Config, DEFAULTS, Faults};

/// What the names of variables that are settings begin with.
const PREFIX: &str = "GX_";
/// Variables with the prefix that are no settings: they belong to tests.
const NOT_SETTINGS: &[&str] = &["GX_FABRIC_CONNECTION"];

/// The program that runs, to start another role or tool of it.
///
/// # Errors
/// If the system does not tell.
pub fn program() -> std::io::Result<PathBuf> {
    std::env::current_exe()
}

impl Config {
    /// Loads the defaults, then `file`, then the process's environment.
    ///
    /// # Errors
    /// Every unknown key and every value that cannot be read, at once. What the
    /// values mean together is [`Config::check`]'s.
    pub fn load(file: Option<&Path>) -> Result<Self, Faults> {
        let text = file
            .map(|path| read(path).map_err(Faults::one))
            .transpose()?;
        Self::from_sources(text.as_deref(), texts(std::env::vars_os())?)
    }

    /// Loads the defaults, then the text of a file, then variables.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_sources(
        file: Option<&str>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        let mut settings = parse(DEFAULTS)?;
        if let Some(text) = file {
            override_with(&mut settings, parse(text)?, "", &mut faults);
        }
        let variables: BTreeMap<_, _> = variables
            .into_iter()
            .filter(|(name, _)| name.starts_with(PREFIX) && !NOT_SETTINGS.contains(&name.as_str()))
            .collect();
        for (name, value) in variables {
            if let Err(fault) = set(&mut settings, &name, value) {
                faults.push(format!("{name}: {fault}"));
            }
        }
        Faults::none_of(faults)?;
        settings
            .try_into()
            .map_err(|error: toml::de::Error| Faults::one(error.to_string().trim().to_owned()))
    }
}

/// The variables that are text. A setting that is none is not passed over: its default
/// would take its place.
fn texts(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Vec<(String, String)>, Faults> {
    let (mut texts, mut faults) = (Vec::new(), Vec::new());
    for (name, value) in variables {
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => texts.push((name, value)),
            (Ok(name), Err(_)) if name.starts_with(PREFIX) => {
                faults.push(format!("{name}: must be UTF-8"));
            }
            _ => {}
        }
    }
    Faults::none_of(faults)?;
    Ok(texts)
}

fn read(path: impl AsRef<Path>) -> Result<String, String> {
    let path = path.as_ref();
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn parse(text: &str) -> Result<Table, Faults> {
    text.parse()
        .map_err(|error: toml::de::Error| Faults::one(fault(&error, text)))
}

/// What is wrong and in which line; never the line itself, which may hold a secret.
fn fault(error: &toml::de::Error, text: &str) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map(|before| before.matches('\n').count() + 1);
    let place = line.map_or_else(String::new, |line| format!("line {line}: "));
    format!("{place}{}", error.message())
}

/// Puts a file's values over the settings; a key that is not there is a fault.
fn override_with(settings: &mut Table, file: Table, prefix: &str, faults: &mut Vec<String>) {
    for (key, value) in file {
        let name = format!("{prefix}{key}");
        match (settings.get_mut(&key), value) {
            (Some(Value::Table(section)), Value::Table(values)) => {
                override_with(section, values, &format!("{name}."), faults);
            }
            (Some(Value::Table(_)), _) => faults.push(format!("{name}: must be a section")),
            // Told here, by the name: later the value would be told too.
            (Some(slot), value) if !slot.same_type(&value) => {
                faults.push(format!("{name}: must be of type {}", slot.type_str()));
            }
            (Some(slot), value) => *slot = value,
            (None, _) => faults.push(format!("{name}: unknown key")),
        }
    }
}

/// Sets what a variable names, by its own text or by the file that it names.
fn set(settings: &mut Table, variable: &str, text: String) -> Result<(), String> {
    if let Some(slot) = find(settings, variable) {
        *slot = like(slot, text)?;
        return Ok(());
    }
    let by_file = variable
        .strip_suffix("_FILE")
        .and_then(|variable| find(settings, variable))
        .ok_or("unknown variable")?;
    *by_file = like(by_file, read(text)?.trim_end().to_owned())?;
    Ok(())
}

/// `GX_KEY`, `GX_SECTION__KEY`, and so on for sections in sections.
fn find<'a>(settings: &'a mut Table, variable: &str) -> Option<&'a mut Value> {
    let path = variable.strip_prefix(PREFIX)?.to_lowercase();
    let mut keys = path.split("__");
    let mut slot = settings.get_mut(keys.next()?)?;
    for key in keys {
        slot = slot.get_mut(key)?;
    }
    (!slot.is_table()).then_some(slot)
}

/// Reads text as a value of the same type as the one that it replaces.
fn like(slot: &Value, text: String) -> Result<Value, String> {
    Ok(match slot {
        Value::Integer(_) => Value::Integer(text.parse().map_err(|_| "must be a whole number")?),
        Value::Boolean(_) => Value::Boolean(text.parse().map_err(|_| "must be true or false")?),
        Value::Array(_) => Value::Array(
            text.split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(Value::from)
                .collect(),
        ),
        _ => Value::String(text),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn environment_overrides_file_overrides_defaults() {
        let file = "[listen]\nidentity = 1\nwallet = 2\n";
        let config = Config::from_sources(
            Some(file),
            variables(&[("GX_LISTEN__WALLET", "20"), ("GX_INSTANCE", "one")]),
        )
        .unwrap();
        let listen = config.listen;
        assert_eq!(
            (listen.identity, listen.wallet, listen.tokenomics),
            (1, 20, 3003)
        );
        assert_eq!(config.instance, "one");
    }

    #[test]
    fn a_setting_that_is_no_text_is_not_passed_over() {
        use std::os::unix::ffi::OsStringExt as _;

        let read = |name: &str, value: &[u8]| {
            texts([(name.into(), OsString::from_vec(value.into()))].into_iter())
        };
        let text = ("GX_INSTANCE".to_owned(), "one".to_owned());
        assert_eq!(read("GX_INSTANCE", b"one").unwrap(), [text]);
        assert!(read("OTHER", b"\xff").unwrap().is_empty());
        let fault = read("GX_INSTANCE", b"\xff").unwrap_err().to_string();
        assert!(fault.contains("GX_INSTANCE: must be UTF-8"), "{fault}");
    }

    #[test]
    fn a_section_in_a_section_is_reached() {
        let variable = "GX_FABRIC__IDENTITY__ADMIN__KEY_FILE";
        let config = Config::from_sources(None, variables(&[(variable, "/keys/admin")])).unwrap();
        assert_eq!(config.fabric.identity.admin.key_file, "/keys/admin");
    }

    #[test]
    fn unknown_keys_and_variables_are_all_named() {
        let faults = Config::from_sources(
            Some("colour = 1\n[listen]\nhots = \"::1\"\n[lanes.x]\ny = 1\n"),
            variables(&[
                ("GX_LISTEN__HOTS", "::1"),
                ("GX_COLOUR", "red"),
                ("GX_LISTEN", "x"),
                ("GX_FABRIC_CONNECTION", "/opt"),
                ("PATH", "/bin"),
            ]),
        )
        .unwrap_err();
        assert_eq!(
            faults.list(),
            [
                "colour: unknown key",
                "lanes.x: unknown key",
                "listen.hots: unknown key",
                "GX_COLOUR: unknown variable",
                "GX_LISTEN: unknown variable",
                "GX_LISTEN__HOTS: unknown variable",
            ]
        );
    }

    #[test]
    fn a_secret_comes_from_a_file() {
        use secrecy::ExposeSecret as _;
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "p/a=s s").unwrap();
        let path = file.path().to_str().unwrap();
        let config =
            Config::from_sources(None, variables(&[("GX_DATABASE__PASSWORD_FILE", path)])).unwrap();
        assert_eq!(config.database.password.expose_secret(), "p/a=s s");
    }

    #[test]
    fn a_value_of_the_wrong_type_names_its_variable() {
        let faults =
            Config::from_sources(None, variables(&[("GX_LANES__PARTNER", "many")])).unwrap_err();
        assert_eq!(faults.list(), ["GX_LANES__PARTNER: must be a whole number"]);
        let faults = Config::from_sources(Some("[lanes]\npartner = \"many\""), []).unwrap_err();
        assert!(faults.to_string().contains("partner"), "{faults}");
    }

    #[test]
    fn no_fault_shows_a_secret() {
        for (file, told) in [
            (
                "# x\n[database]\npassword = \"hunter2\nurl = 1\n",
                "line 3: ",
            ),
            ("[database]\npassword = hunter2\n", "line 2: "),
            ("[database]\nhunter2\n", "line 2: "),
            (
                "[database]\npassword = [\"hunter2\"]\n",
                "database.password: ",
            ),
            (
                "[database]\npassword = { a = \"hunter2\" }\n",
                "database.password: ",
            ),
        ] {
            let faults = Config::from_sources(Some(file), [])
                .unwrap_err()
                .to_string();
            assert!(faults.contains(told), "{faults}");
            assert!(!faults.contains("hunter2"), "{faults}");
        }
    }

    #[test]
    fn networks_are_a_list_in_a_variable() {
        let config = Config::from_sources(
            None,
            variables(&[("GX_LIMITS__TRUSTED_PROXIES", "10.0.0.0/8, ::1")]),
        )
        .unwrap();
        assert_eq!(config.limits.trusted_proxies.len(), 2);
    }
}
