//! The description as a page to read: one file, no script, nothing from elsewhere.

use std::fmt::Write as _;

use serde_json::Value;

/// The page's style; its digest stands in the policy under which it is served.
const STYLE: &str = include_str!("page.css");

/// The page of a description.
pub(super) fn html(document: &Value) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>GX over REST</title>\n\
         <style>{STYLE}</style>\n<h1>GX over REST</h1>\n{}\
         <p>For programs: <a href=\"/openapi.json\">openapi.json</a>.</p>\n",
        paragraphs(&document["info"]["description"])
    );
    for tag in document["tags"].as_array().into_iter().flatten() {
        let _ = write!(
            page,
            "<h2>{}</h2>\n{}",
            escaped(&tag["name"]),
            paragraphs(&tag["description"])
        );
        for (path, verb, operation) in operations(document) {
            if operation["tags"][0] == tag["name"] {
                operation_of(&mut page, path, verb, operation);
            }
        }
    }
    page.push_str("<h2>Messages</h2>\n");
    for (name, schema) in document["components"]["schemas"]
        .as_object()
        .into_iter()
        .flatten()
    {
        let _ = write!(
            page,
            "<h3 id=\"{name}\">{name}</h3>\n{}",
            paragraphs(&schema["description"])
        );
        fields(&mut page, &schema["properties"]);
    }
    page
}

fn operations(document: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let operations = item.as_object().into_iter().flatten();
        operations.map(move |(verb, operation)| (path, verb, operation))
    })
}

fn operation_of(page: &mut String, path: &str, verb: &str, operation: &Value) {
    let _ = write!(
        page,
        "<h3>{}</h3>\n<p><code><b>{}</b> {}</code></p>\n{}",
        escaped(&operation["summary"]),
        verb.to_uppercase(),
        escape(path),
        paragraphs(&operation["description"])
    );
    page.push_str("<dl>\n");
    for one in operation["parameters"].as_array().into_iter().flatten() {
        let _ = writeln!(
            page,
            "<dt><code>{}</code> <i>{}</i></dt><dd>{}</dd>",
            escaped(&one["name"]),
            escaped(&one["in"]),
            escaped(&one["description"])
        );
    }
    page.push_str("</dl>\n");
    let sent = &operation["requestBody"]["content"]["application/json"];
    fields(page, &sent["schema"]["properties"]);
    example(page, "Sent", &sent["example"]);
    let answer = &operation["responses"]["200"]["content"]["application/json"];
    let _ = writeln!(page, "<p>Answers {}.</p>", kind(&answer["schema"]));
    example(page, "Answered", &answer["example"]);
    page.push_str("<details><summary>Refusals</summary>\n<dl>\n");
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        if status != "200" {
            let _ = writeln!(
                page,
                "<dt>{status}</dt><dd>{}</dd>",
                paragraphs(&response["description"])
            );
        }
    }
    page.push_str("</dl>\n</details>\n");
}

fn fields(page: &mut String, properties: &Value) {
    let Some(properties) = properties.as_object().filter(|all| !all.is_empty()) else {
        return;
    };
    page.push_str("<dl>\n");
    for (name, schema) in properties {
        let _ = writeln!(
            page,
            "<dt><code>{}</code> <i>{}</i></dt><dd>{}</dd>",
            escape(name),
            kind(schema),
            escaped(&schema["description"])
        );
    }
    page.push_str("</dl>\n");
}

/// What a schema is, in a word or a link.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|name| name.rsplit('/').next())
    {
        return format!("<a href=\"#{name}\">{name}</a>");
    }
    match schema["type"].as_str() {
        Some("array") => format!("list of {}", kind(&schema["items"])),
        Some(word) => schema["format"].as_str().unwrap_or(word).to_owned(),
        None => String::new(),
    }
}

fn example(page: &mut String, what: &str, example: &Value) {
    if let (Ok(text), false) = (serde_json::to_string_pretty(example), example.is_null()) {
        let _ = writeln!(
            page,
            "<details><summary>{what}, for example</summary><pre>{}</pre></details>",
            escape(&text)
        );
    }
}

/// Text with its lists, as paragraphs and items.
fn paragraphs(text: &Value) -> String {
    let mut html = String::new();
    for line in text
        .as_str()
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.is_empty())
    {
        let _ = match line.strip_prefix("- ") {
            Some(item) => writeln!(html, "<p class=\"item\">{}</p>", escape(item)),
            None => writeln!(html, "<p>{}</p>", escape(line)),
        };
    }
    html
}

fn escaped(text: &Value) -> String {
    escape(text.as_str().unwrap_or_default())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_are_never_markup() {
        let document = json!({
            "info": {"description": "a <script> & \"more\""}, "tags": [], "components": {},
        });
        let page = html(&document);
        assert!(
            page.contains("a &lt;script&gt; &amp; &quot;more&quot;"),
            "{page}"
        );
        assert!(!page.contains("<script"));
    }
}
