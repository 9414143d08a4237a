//! The examples of the description are what was sent and answered: of the same form, as
//! names and times differ.

use std::path::Path;

use gx_server::ops::interface::Method;
use serde_json::{Map, Value, json};

use super::{methods::forms, path};

const COMMITTED: &str = include_str!("../../../../envoy/examples.json");

/// Bytes of a text that an example shows.
const TEXT_MAX: usize = 200;

/// What was sent and answered, cut to what shows the form.
pub(super) fn of(method: &Method, message: &Value, answers: &[Value]) -> Value {
    let (_, body) = path::of(&method.bindings[0], message);
    let mut example = json!({"answer": shown("", &answers[0])});
    if let Some(body) = body {
        example["body"] = shown("", &body);
    }
    example
}

/// Lists with one item, no secrets, no long texts.
fn shown(name: &str, value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().take(1).map(|item| shown(name, item)).collect(),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| (name.clone(), shown(name, value)));
            Value::Object(fields.collect())
        }
        Value::String(text) => {
            let name = name.to_lowercase();
            let is_secret = ["token", "password", "code"]
                .iter()
                .any(|end| name.ends_with(end));
            let hidden = (is_secret && !text.is_empty()) || text.len() > TEXT_MAX;
            if hidden { json!("…") } else { value.clone() }
        }
        other => other.clone(),
    }
}

/// Compares with what is committed.
pub(super) fn check(made: &Map<String, Value>) {
    let committed: Map<String, Value> = serde_json::from_str(COMMITTED).unwrap();
    let is_like = |(name, example): (&String, &Value)| {
        let other = committed.get(name).unwrap_or(&Value::Null);
        let is_like = forms(std::slice::from_ref(example)) == forms(std::slice::from_ref(other));
        (!is_like).then(|| name.clone())
    };
    let others: Vec<_> = made.iter().filter_map(is_like).collect();
    if others.is_empty() && committed.len() == made.len() {
        return;
    }
    let mut wanted = made.clone();
    for (name, example) in committed {
        if let Some(place) = wanted.get_mut(&name).filter(|_| !others.contains(&name)) {
            *place = example;
        }
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples.json");
    std::fs::write(&file, serde_json::to_string_pretty(&wanted).unwrap() + "\n").unwrap();
    panic!(
        "envoy/examples.json must be {}: of {others:?}, or of methods that are gone",
        file.display()
    );
}
