//! The way to a method over HTTP, as its binding says.

use gx_server::ops::interface::Binding;
use serde_json::{Map, Value};

/// The request's line and body for a message: what the template names stands in the
/// path, the rest in the body or behind the path.
pub(super) fn of(binding: &Binding, message: &Value) -> (String, Option<Value>) {
    let mut rest: Map<String, Value> = message.as_object().expect("a message").clone();
    let mut path = String::new();
    let mut template = binding.template.as_str();
    while let Some((before, behind)) = template.split_once('{') {
        let (name, after) = behind.split_once('}').expect("a whole template");
        let name = name.split('=').next().unwrap_or(name);
        let value = rest.remove(name).unwrap_or_else(|| panic!("no {name}"));
        path.push_str(before);
        path.push_str(value.as_str().expect("text"));
        template = after;
    }
    path.push_str(template);
    let verb = binding.verb.to_uppercase();
    if binding.has_body {
        return (format!("{verb} {path}"), Some(Value::Object(rest)));
    }
    let query: Vec<_> = rest
        .iter()
        .flat_map(|(name, value)| pairs(name, value))
        .collect();
    let mark = if query.is_empty() { "" } else { "?" };
    (format!("{verb} {path}{mark}{}", query.join("&")), None)
}

fn pairs(name: &str, value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(|item| pairs(name, item)).collect(),
        Value::String(text) => vec![format!("{name}={text}")],
        other => vec![format!("{name}={other}")],
    }
}
