//! `gx openapi`: REST as OpenAPI and as a page to read, from the descriptor set: the
//! bindings are its operations, the comments its words. The same set makes the same
//! files.

mod operation;
mod page;
mod reasons;
mod schema;

use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use super::{
    interface::{self, comment},
    report::Files,
};

/// Bodies that were sent and answered, by method; a test holds that they are such.
const EXAMPLES: &str = include_str!("../../../../envoy/examples.json");

/// Where to write.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The folder that gets `openapi.json` and `docs.html`.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

/// Writes the description and the page.
///
/// # Errors
/// If the descriptor set or the examples cannot be read, or a file cannot be written.
pub fn write(options: &Options) -> anyhow::Result<Files> {
    let document = document()?;
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    let mut files = Vec::new();
    for (name, text) in [("openapi.json", text), ("docs.html", page::html(&document))] {
        let file = options.out.join(name);
        std::fs::write(&file, text)
            .with_context(|| format!("{} cannot be written", file.display()))?;
        files.push(file);
    }
    Ok(Files { files })
}

/// The description of REST.
fn document() -> anyhow::Result<Value> {
    let pool = interface::pool()?;
    let methods = interface::methods(&pool)?;
    let reasons = reasons::all(&pool)?;
    let examples: Map<String, Value> = serde_json::from_str(EXAMPLES).context("the examples")?;
    let (mut paths, mut tags, mut schemas) = (Map::new(), Vec::new(), schema::Schemas::default());
    for method in &methods {
        let service = method.descriptor.parent_service();
        let tag = json!({
            "name": service.name(),
            "description": comment(&service.parent_file(), service.path()),
        });
        if tags.last() != Some(&tag) {
            tags.push(tag);
        }
        let example = examples.get(method.descriptor.name());
        for binding in &method.bindings {
            let path = operation::path(binding);
            let one =
                operation::describe(method, binding, &methods, &reasons, example, &mut schemas);
            let item = paths.entry(path).or_insert_with(|| json!({}));
            item[binding.verb] = one;
        }
    }
    schemas.add_status();
    Ok(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "GX",
            "version": "v1",
            "description": interface::words(INTRODUCTION),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas.finish(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    }))
}

/// What holds for all operations.
const INTRODUCTION: &str = "
 A permissioned currency's backend over REST. 64-bit integers are strings, amounts are
 whole Qirat, and one GX is 1,000,000 of them; enums are names. A command answers an
 Operation at once, to be waited for; its request_id is a UUID that the client makes and
 keeps, so that sending it again is harmless. Whatever is refused is answered with a
 google.rpc.Status; clients branch on the reason in its ErrorInfo. A stream is a JSON
 message a line.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_described_with_its_refusals() {
        let document = document().unwrap();
        let paths = document["paths"].as_object().unwrap();
        let operations: Vec<_> = paths
            .values()
            .flat_map(|item| item.as_object().unwrap().values())
            .collect();
        assert!(operations.len() > 40, "{}", operations.len());
        for operation in operations {
            assert!(!operation["description"].as_str().unwrap().is_empty());
            let responses = operation["responses"].as_object().unwrap();
            for status in ["200", "400", "404", "429", "500", "503", "504"] {
                assert!(responses.contains_key(status), "{operation}");
            }
        }
        let transfer = &paths["/v1/wallets/{account}/transfers"]["post"];
        assert_eq!(transfer["security"], json!([{"token": []}]));
        assert_eq!(transfer["x-operation-reasons"][0], "INSUFFICIENT_FUNDS");
        let refused = transfer["responses"]["409"]["description"]
            .as_str()
            .unwrap();
        assert!(refused.contains("REQUEST_ID_REUSED"), "{refused}");
        let body = &transfer["requestBody"]["content"]["application/json"]["schema"];
        assert!(body["properties"]["amountQirat"].is_object(), "{body}");
        assert!(
            body["properties"]["account"].is_null(),
            "it stands in the path"
        );
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let text = document().unwrap().to_string();
        let schemas = document().unwrap()["components"]["schemas"].clone();
        for part in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(schemas[name].is_object(), "{name}");
        }
    }
}
