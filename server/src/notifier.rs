//! How one-time codes and notices leave. On embedded defaults they are appended to
//! `data_dir/codes.jsonl`, which only its owner may read, and go nowhere else,
//! least of all to a log.

use std::{
    fs::Permissions,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::error::Result;

/// Delivers messages to people; cheap to clone. Give it nothing before the
/// transaction that it is about has committed.
#[derive(Debug, Clone)]
pub enum Notifier {
    /// Appends one JSON object a line to a file.
    File(PathBuf),
}

/// What a person is told.
#[derive(Debug, Clone)]
pub enum Message {
    /// A one-time code.
    Code(SecretString),
    /// Somebody tried to register a contact that is registered.
    KnownContact,
}

impl Notifier {
    /// The notifier of embedded defaults.
    pub fn new(data_dir: &Path) -> Self {
        Self::File(data_dir.join("codes.jsonl"))
    }

    /// Delivers a message to a contact.
    ///
    /// # Errors
    /// If it cannot be delivered.
    pub async fn send(&self, now_ms: i64, contact: &str, message: Message) -> Result<()> {
        let Self::File(path) = self;
        let (path, line) = (path.clone(), line(now_ms, contact, &message)?);
        let written = tokio::task::spawn_blocking(move || append(&path, &line)).await;
        Ok(written.map_err(anyhow::Error::from)??)
    }
}

fn line(now_ms: i64, contact: &str, message: &Message) -> anyhow::Result<String> {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(now_ms) * 1_000_000)?;
    let time = time.format(&Rfc3339)?;
    let object = match message {
        Message::Code(code) => {
            json!({"time": time, "contact": contact, "kind": "code", "code": code.expose_secret()})
        }
        Message::KnownContact => json!({"time": time, "contact": contact, "kind": "notice"}),
    };
    Ok(format!("{object}\n"))
}

/// One write for the whole line, so that lines of concurrent calls stay whole.
fn append(path: &Path, line: &str) -> anyhow::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)?;
    // A file that was there keeps its mode otherwise.
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file.write_all(line.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn messages_become_lines_that_only_the_owner_reads() {
        let directory = tempfile::tempdir().unwrap();
        let notifier = Notifier::new(directory.path());
        let path = directory.path().join("codes.jsonl");
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let code = Message::Code("123456".to_owned().into());
        assert!(!format!("{code:?}").contains("123456"));
        notifier.send(0, "a@example.org", code).await.unwrap();
        let notice = Message::KnownContact;
        notifier.send(1_500, "b@example.org", notice).await.unwrap();

        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let lines: Vec<serde_json::Value> = std::fs::read_to_string(path)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(
            lines,
            [
                json!({"time": "1970-01-01T00:00:00Z", "contact": "a@example.org",
                       "kind": "code", "code": "123456"}),
                json!({"time": "1970-01-01T00:00:01.5Z", "contact": "b@example.org",
                       "kind": "notice"}),
            ]
        );
    }
}
