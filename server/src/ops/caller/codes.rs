//! One-time codes, as the embedded notifier leaves them.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use serde_json::Value;

/// How long a code may take to arrive, and how often to look.
const ARRIVAL: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);

/// Waits for the code that was sent to a contact.
pub(in crate::ops) async fn code(data_dir: &Path, contact: &str) -> anyhow::Result<String> {
    let path = data_dir.join("codes.jsonl");
    let begun = Instant::now();
    loop {
        let found = match std::fs::read_to_string(&path) {
            Ok(text) => latest(&text, contact),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", path.display()));
            }
        };
        if let Some(code) = found {
            return Ok(code);
        }
        if begun.elapsed() >= ARRIVAL {
            bail!("no code for {contact} came to {}", path.display());
        }
        tokio::time::sleep(POLL).await;
    }
}

/// The last code for the contact; a line that is not whole yet is passed over.
fn latest(lines: &str, contact: &str) -> Option<String> {
    lines
        .lines()
        .rev()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|line| line["contact"] == contact && line["kind"] == "code")
        .and_then(|line| Some(line["code"].as_str()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_code_of_the_contact_counts() {
        let lines = concat!(
            r#"{"contact": "a@example.org", "kind": "code", "code": "111111"}"#,
            "\n",
            r#"{"contact": "a@example.org", "kind": "code", "code": "222222"}"#,
            "\n",
            r#"{"contact": "a@example.org", "kind": "notice"}"#,
            "\n",
            r#"{"contact": "b@example.org", "kind": "co"#,
        );
        assert_eq!(latest(lines, "a@example.org").as_deref(), Some("222222"));
        assert_eq!(latest(lines, "b@example.org"), None);
    }
}
