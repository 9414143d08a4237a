//! A method's binding as an operation.

use prost_reflect::FieldDescriptor;
use serde_json::{Map, Value, json};

use super::{
    super::interface::{Binding, Method, Variable, comment},
    reasons::{self, Reasons},
    schema::{Schemas, reference},
};
use crate::error::reason_name;

/// The path as OpenAPI writes it: a variable is one segment.
pub(super) fn path(binding: &Binding) -> String {
    let mut path = String::new();
    for (text, variable) in binding.parts() {
        path.push_str(text);
        if let Some(variable) = variable {
            path.push_str(&format!("{}{{{}}}", before(variable), name(variable)));
        }
    }
    path
}

/// What the pattern begins with: `blocks/` of `blocks/*`.
fn before(variable: Variable<'_>) -> &str {
    variable.pattern.trim_end_matches('*')
}

/// What the segment is called: `block` of `blocks/*`, else as its field.
fn name(variable: Variable<'_>) -> String {
    let many = before(variable).trim_end_matches('/');
    match many.strip_suffix("ies") {
        _ if many.is_empty() => variable.field.to_owned(),
        Some(stem) => format!("{stem}y"),
        None => many.trim_end_matches('s').to_owned(),
    }
}

/// The operation of one binding.
pub(super) fn describe(
    method: &Method,
    binding: &Binding,
    methods: &[Method],
    all: &Reasons,
    example: Option<&Value>,
    schemas: &mut Schemas,
) -> Value {
    let descriptor = &method.descriptor;
    let is_first = binding == &method.bindings[0];
    let id = descriptor.name().to_owned() + if is_first { "" } else { "Also" };
    let (refusals, of_operation) = reasons::of(method, methods, all);
    let mut operation = json!({
        "operationId": id,
        "summary": spaced(descriptor.name()),
        "description": method.comment(),
        "tags": [descriptor.parent_service().name()],
        "security": if reasons::is_public(method) { json!([]) } else { json!([{"token": []}]) },
        "parameters": parameters(method, binding, schemas),
        "responses": {"200": done(method, example, schemas)},
    });
    if binding.has_body {
        operation["requestBody"] = body(method, binding, example, schemas);
    }
    for (status, refusals) in refusals {
        operation["responses"][status.to_string()] = refused(&refusals, all);
    }
    if !of_operation.is_empty() {
        operation["x-operation-reasons"] = of_operation.into();
    }
    if method.is_stream() {
        operation["x-stream"] = true.into();
    }
    operation
}

/// `GetWallet` as words.
fn spaced(name: &str) -> String {
    let mut words = String::new();
    for (index, letter) in name.char_indices() {
        if index > 0 && letter.is_uppercase() {
            words.push(' ');
            words.push(letter.to_ascii_lowercase());
        } else {
            words.push(letter);
        }
    }
    words
}

/// The fields of the request that stand neither in the path nor in another place.
fn rest(method: &Method, binding: &Binding) -> Vec<FieldDescriptor> {
    let in_path =
        |field: &FieldDescriptor| binding.variables().any(|one| one.field == field.name());
    let input = method.descriptor.input();
    input.fields().filter(|field| !in_path(field)).collect()
}

fn parameters(method: &Method, binding: &Binding, schemas: &mut Schemas) -> Vec<Value> {
    let input = method.descriptor.input();
    let mut parameters = Vec::new();
    for variable in binding.variables() {
        let words = input.get_field_by_name(variable.field);
        let words = words.map(|field| comment(&input.parent_file(), field.path()));
        let words = words.unwrap_or_default();
        let words = match before(variable) {
            "" => words,
            before => format!("What follows `{before}` in `{}`: {words}", variable.field),
        };
        parameters.push(json!({
            "name": name(variable), "in": "path", "required": true, "description": words,
            "schema": {"type": "string", "minLength": 1, "pattern": "^[^/:]+$"},
        }));
    }
    if !binding.has_body {
        for field in rest(method, binding) {
            parameters.push(json!({
                "name": field.json_name(), "in": "query",
                "description": comment(&input.parent_file(), field.path()),
                "schema": schemas.field(&field),
            }));
        }
    }
    parameters
}

fn body(
    method: &Method,
    binding: &Binding,
    example: Option<&Value>,
    schemas: &mut Schemas,
) -> Value {
    let mut content = json!({"schema": schemas.object(&rest(method, binding))});
    if let Some(sent) = example.and_then(|example| example.get("body")) {
        content["example"] = sent.clone();
    }
    json!({"required": true, "content": {"application/json": content}})
}

fn done(method: &Method, example: Option<&Value>, schemas: &mut Schemas) -> Value {
    let output = method.descriptor.output();
    let mut words = comment(&output.parent_file(), output.path());
    if method.is_stream() {
        words.push_str(" A stream: such a message a line.");
    }
    let mut content = json!({"schema": schemas.message(&output)});
    if let Some(answer) = example.and_then(|example| example.get("answer")) {
        content["example"] = answer.clone();
    }
    json!({"description": words, "content": {"application/json": content}})
}

fn refused(reasons: &[gx_proto::gx::common::v1::Reason], all: &Reasons) -> Value {
    let lines = reasons.iter().map(|reason| {
        let name = reason_name(*reason);
        let words = all.get(name).map_or("", |(_, words)| words.as_str());
        format!("- `{name}`: {words}")
    });
    let names: Map<String, Value> = Map::from_iter([(
        "application/json".to_owned(),
        json!({"schema": reference("Refusal")}),
    )]);
    json!({"description": lines.collect::<Vec<_>>().join("\n"), "content": names})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_a_path_whose_variables_are_segments() {
        for (template, wanted) in [
            ("/v1/supply", "/v1/supply"),
            ("/v1/wallets/{account}:watch", "/v1/wallets/{account}:watch"),
            (
                "/v1/{name=operations/*}:wait",
                "/v1/operations/{operation}:wait",
            ),
            (
                "/v1/wallets/{account}/{name=entries/*}",
                "/v1/wallets/{account}/entries/{entry}",
            ),
        ] {
            let binding = Binding {
                verb: "get",
                template: template.to_owned(),
                has_body: false,
            };
            assert_eq!(path(&binding), wanted);
        }
    }
}
