//! A text with places: `${name}` takes a value, and a line that is `${name}` alone a
//! list, a line each. Values are JSON, which YAML takes as it is; within quotes they
//! are bare text.

use std::collections::BTreeMap;

use anyhow::bail;
use serde_json::Value;

/// A text whose places are being filled.
pub(super) struct Template {
    text: &'static str,
    values: BTreeMap<&'static str, Value>,
    lists: BTreeMap<&'static str, Vec<Value>>,
}

impl Template {
    /// A text with nothing filled.
    pub(super) fn new(text: &'static str) -> Self {
        Self {
            text,
            values: BTreeMap::new(),
            lists: BTreeMap::new(),
        }
    }

    /// Gives a place its value.
    pub(super) fn set(&mut self, name: &'static str, value: Value) {
        self.values.insert(name, value);
    }

    /// Gives a line its list.
    pub(super) fn list(&mut self, name: &'static str, items: Vec<Value>) {
        self.lists.insert(name, items);
    }

    /// The text with all places filled.
    ///
    /// # Errors
    /// If a place has no value.
    pub(super) fn finish(&self) -> anyhow::Result<String> {
        let mut filled = String::new();
        for line in self.text.lines() {
            self.fill(line, &mut filled)?;
        }
        Ok(filled)
    }

    fn fill(&self, line: &str, filled: &mut String) -> anyhow::Result<()> {
        let bare = line.trim_start();
        let indent = &line[..line.len() - bare.len()];
        if let Some(items) = place(bare).and_then(|name| self.lists.get(name)) {
            for item in items {
                filled.push_str(&format!("{indent}- {item}\n"));
            }
            return Ok(());
        }
        let mut rest = line;
        // Comments may speak of places.
        while let Some((before, behind)) = rest.split_once("${").filter(|_| !bare.starts_with('#'))
        {
            let Some((name, after)) = behind.split_once('}') else {
                bail!("a place without an end: {line}");
            };
            let Some(value) = self.values.get(name) else {
                bail!("there is no value for ${{{name}}}");
            };
            filled.push_str(before);
            match value {
                Value::String(text) if before.ends_with('"') => filled.push_str(text),
                value => filled.push_str(&value.to_string()),
            }
            rest = after;
        }
        filled.push_str(rest);
        filled.push('\n');
        Ok(())
    }
}

/// The name of a line that is one place.
fn place(line: &str) -> Option<&str> {
    line.strip_prefix("${")?.strip_suffix('}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_take_values_and_lines_lists() {
        let mut template = Template::new("# ${this} stays\na: {b: ${b}, c: \"${c}\"}\n  ${d}\n");
        template.set("b", json!([1]));
        template.set("c", json!("x"));
        template.list("d", vec![json!({"e": 1}), json!("f")]);
        let wanted = "# ${this} stays\na: {b: [1], c: \"x\"}\n  - {\"e\":1}\n  - \"f\"\n";
        assert_eq!(template.finish().unwrap(), wanted);
    }

    #[test]
    fn a_place_without_a_value_is_told() {
        let told = Template::new("a: ${b}").finish().unwrap_err().to_string();
        assert!(told.contains("${b}"), "{told}");
    }
}
