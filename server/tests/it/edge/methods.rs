//! Every method through Envoy, by REST and by gRPC, with equal answers. The descriptor
//! set says which there are: one without a binding or without a case fails.

use std::collections::BTreeSet;

use gx_server::ops::interface::{self, Method};
use http_body_util::BodyExt;
use serde_json::{Deserializer, Map, Value};

use super::{cases, examples, grpcurl, path};
use crate::{
    harness::{Database, Gateway, rest},
    rights::world::World,
};

/// Without what says nothing: `null`, empty text and lists, zero, `…_UNSPECIFIED`.
fn bare(value: &Value) -> Value {
    let says = |value: &Value| match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !["", "0"].contains(&&**text) && !text.ends_with("_UNSPECIFIED"),
        Value::Array(items) => !items.is_empty(),
        Value::Object(_) => true,
    };
    match value {
        Value::Array(items) => items.iter().map(bare).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| says(value));
            let fields = fields.map(|(name, value)| (name.clone(), bare(value)));
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

/// The names of what a value says, without what it says of them.
fn form(value: &Value, at: &str, names: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| form(item, at, names)),
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| form(value, &format!("{at}.{name}"), names)),
        _ => {
            names.insert(at.to_owned());
        }
    }
}

pub(super) fn forms(values: &[Value]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    values.iter().for_each(|value| form(value, "", &mut names));
    // An operation may have come further meanwhile.
    names.retain(|name| !name.contains(".operation.") || name.ends_with("requestId"));
    names
}

/// Calls a method by each of its bindings, the first for all, and answers its messages.
async fn by_rest(gateway: &Gateway, method: &Method, token: &str, message: &Value) -> Vec<Value> {
    let mut answers = Vec::new();
    for binding in &method.bindings {
        let (line, body) = path::of(binding, message);
        let mut request = rest::request(&line, body.as_ref());
        let value = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", value);
        let answer = rest::begin(gateway.port, request).await;
        assert_eq!(
            answer.headers()["content-type"],
            "application/json",
            "{line}"
        );
        let status = answer.status();
        let text = read(answer.into_body(), cases::most(method.descriptor.name())).await;
        assert_eq!(status, 200, "{line}: {text}");
        let messages = Deserializer::from_str(&text).into_iter();
        answers.push(messages.map(Result::unwrap).collect::<Vec<Value>>());
    }
    assert!(
        answers.windows(2).all(|two| two[0] == two[1]),
        "{answers:?}"
    );
    answers.remove(0)
}

/// A body up to so many lines.
async fn read(mut body: hyper::body::Incoming, most: usize) -> String {
    let mut text = String::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.unwrap().into_data() {
            text.push_str(std::str::from_utf8(&data).unwrap());
        }
        if text.matches('\n').count() >= most {
            break;
        }
    }
    text
}

/// Calls a method both ways; what REST sent and was answered, or what is wrong.
async fn check(world: &World, gateway: &Gateway, method: &Method) -> Result<Value, String> {
    let name = method.descriptor.name();
    let who = cases::who(name);
    let (client, rows) = world.arrange(name, who).await;
    let message = cases::message(name, &rows);
    let rest = by_rest(gateway, method, &client.token(), &message).await;
    let example = examples::of(method, &message, &rest);
    let (client, message) = match cases::answers_the_same(name) {
        true => (client, message),
        false => {
            let (client, rows) = world.arrange(name, who).await;
            let message = cases::message(name, &rows);
            (client, message)
        }
    };
    let (port, path) = (gateway.port, method.path());
    let most = cases::most(name);
    let call = move || grpcurl::call(port, &path, &client.token(), &message, most);
    let grpc = tokio::task::spawn_blocking(call).await.unwrap();
    let (rest, grpc): (Vec<_>, Vec<_>) = (
        rest.iter().map(bare).collect(),
        grpc.iter().map(bare).collect(),
    );
    let equal = match cases::answers_the_same(name) {
        true => rest == grpc,
        false => forms(&rest) == forms(&grpc),
    };
    let answered = !rest.is_empty() || method.is_stream();
    (equal && answered)
        .then_some(example)
        .ok_or(format!("{name}\n  REST: {rest:?}\n  gRPC: {grpc:?}"))
}

#[tokio::test]
async fn every_method_answers_rest_and_grpc_alike() {
    let world = World::new(Database::Sqlite).await;
    let gateway = Gateway::start(&world.gx).await;
    let pool = interface::pool().unwrap();
    let methods = interface::methods(&pool).unwrap();
    assert!(methods.len() >= 40, "{} methods", methods.len());
    let (mut examples, mut faults) = (Map::new(), Vec::new());
    for method in &methods {
        world.quiet().await;
        match check(&world, &gateway, method).await {
            Ok(example) => {
                examples.insert(method.descriptor.name().to_owned(), example);
            }
            Err(fault) => faults.push(fault),
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    examples::check(&examples);
}
