//! Where each request goes, how long it may take, how large it may be, and whether it
//! may be tried again.
//!
//! A REST request meets the routes twice: as it came, where only its size matters, and
//! as the gRPC call that the transcoder makes of it.

use serde_json::{Map, Value, json};

use crate::{
    auth::policy,
    config::Limits,
    ops::interface::{Binding, Method},
    rpc::WAIT,
};

const BUFFER: &str = "envoy.filters.http.buffer";
const TRANSCODER: &str = "envoy.filters.http.grpc_json_transcoder";

/// What never reached a service may be sent again, whatever it is.
const NOT_SENT: &str = "connect-failure,refused-stream,reset-before-request";
/// A read may be sent again when a service went away under it.
const ANY: &str = "connect-failure,refused-stream,reset-before-request,reset,unavailable";

/// How long a stream may say nothing: longer than a service keeps a connection.
const STREAM_IDLE: &str = "3600s";

/// What the gateway waits longer than a service, so that the service's word comes first.
const MARGIN_MS: u64 = 5_000;

/// Bytes of JSON for a message of so many: base64 takes a third more.
pub(super) fn body_bytes(message: usize) -> usize {
    message.div_ceil(3) * 4
}

/// Bytes of the largest body of all methods.
pub(super) fn body_bytes_max(methods: &[Method]) -> usize {
    let own = methods.iter().filter_map(own_bytes);
    own.max().unwrap_or_default()
}

/// The routes in their order: the first that fits is taken.
pub(super) fn routes(methods: &[Method], limits: &Limits) -> Vec<Value> {
    let large = methods.iter().filter_map(large).flatten();
    let calls = methods.iter().map(|method| call(method, limits));
    let mut routes = vec![pages(), no_json()];
    routes.extend(large);
    routes.extend(calls);
    routes.extend([other_grpc(), other(limits)]);
    routes
}

/// What the services answer to browsers themselves.
fn pages() -> Value {
    json!({
        "match": {"safe_regex": {"regex": "/docs|/openapi\\.json"}},
        "route": {"cluster": "tokenomics", "timeout": "10s"},
        "typed_per_filter_config": {TRANSCODER: no_transcoder()},
    })
}

/// A body that says to be something else than JSON.
fn no_json() -> Value {
    let is_json = json!({"safe_regex": {"regex": "(?i)application/json(\\s*;.*)?"}});
    let is_grpc = json!({"prefix": "application/grpc"});
    json!({
        "match": {"prefix": "/", "headers": [
            {"name": ":method", "string_match": {"exact": "POST"}},
            {"name": "content-type", "string_match": is_json, "invert_match": true},
            {"name": "content-type", "string_match": is_grpc, "invert_match": true},
        ]},
        "direct_response": {"status": 415},
        "typed_per_filter_config": {TRANSCODER: no_transcoder(), BUFFER: no_buffer()},
    })
}

/// The transcoder without services lets everything pass.
fn no_transcoder() -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        "proto_descriptor_bin": "",
    })
}

fn no_buffer() -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.BufferPerRoute",
        "disabled": true,
    })
}

/// The REST paths of a method whose body may be larger than others.
fn large(method: &Method) -> Option<impl Iterator<Item = Value>> {
    let bytes = own_bytes(method)?;
    let buffer = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.BufferPerRoute",
        "buffer": {"max_request_bytes": bytes},
    });
    Some(method.bindings.iter().map(move |binding| {
        json!({
            "match": {"safe_regex": {"regex": regex(binding)}},
            "route": {"cluster": cluster(method)},
            "typed_per_filter_config": {BUFFER: buffer},
        })
    }))
}

fn own_bytes(method: &Method) -> Option<usize> {
    let rule = policy::find(&method.path())?;
    rule.message_bytes().map(body_bytes)
}

/// A gRPC call, whether it came as one or was made of REST.
fn call(method: &Method, limits: &Limits) -> Value {
    let mut route = Map::new();
    route.insert("cluster".to_owned(), cluster(method).into());
    route.insert("timeout".to_owned(), timeout(method, limits).into());
    if method.is_stream() {
        route.insert("idle_timeout".to_owned(), STREAM_IDLE.into());
    }
    let retries = if method.is_read() && !method.is_stream() {
        ANY
    } else {
        NOT_SENT
    };
    route.insert("retry_policy".to_owned(), retry(retries));
    let mut call = json!({
        "match": {"path": method.path(), "headers": [grpc()]},
        "route": route,
        "typed_per_filter_config": {BUFFER: no_buffer()},
    });
    if method.path().ends_with("/ListPublicKeys") {
        call["response_headers_to_add"] = json!([{
            "header": {"key": "cache-control", "value": "public, max-age=300"},
        }]);
    }
    call
}

fn grpc() -> Value {
    json!({"name": "content-type", "string_match": {"prefix": "application/grpc"}})
}

fn retry(on: &str) -> Value {
    json!({
        "retry_on": on,
        "num_retries": 2,
        "retry_back_off": {"base_interval": "0.05s", "max_interval": "0.5s"},
        "retry_host_predicate": [{
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {"@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"},
        }],
        "host_selection_retry_max_attempts": 3,
    })
}

/// Longer than the service takes, so that it can tell why; streams have no end.
fn timeout(method: &Method, limits: &Limits) -> String {
    let service_ms = match method.descriptor.name() {
        _ if method.is_stream() => return "0s".to_owned(),
        "WaitOperation" => u64::try_from(WAIT.as_millis()).unwrap_or(u64::MAX),
        _ => limits.timeout_ms,
    };
    seconds(service_ms + MARGIN_MS)
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}s", ms / 1_000, ms % 1_000)
}

/// Whose process serves a method; every one serves operations, and those of money are
/// asked for most.
fn cluster(method: &Method) -> &'static str {
    match method.service().as_str() {
        "gx.identity.v1.IdentityService" => "identity",
        "gx.wallet.v1.WalletService" | "gx.operation.v1.OperationService" => "wallet",
        _ => "tokenomics",
    }
}

/// Reflection, and methods that there are not: a service tells so.
fn other_grpc() -> Value {
    json!({
        "match": {"prefix": "/", "headers": [grpc()]},
        "route": {"cluster": "tokenomics", "timeout": "0s", "retry_policy": retry(NOT_SENT)},
        "typed_per_filter_config": {BUFFER: no_buffer()},
    })
}

/// REST, before the transcoder has made a gRPC call of it.
fn other(limits: &Limits) -> Value {
    let timeout = seconds(limits.timeout_ms + MARGIN_MS);
    json!({"match": {"prefix": "/"}, "route": {"cluster": "tokenomics", "timeout": timeout}})
}

/// What fits Google's template: `*` and a bare name are one segment.
fn regex(binding: &Binding) -> String {
    let mut regex = String::new();
    for (text, variable) in binding.parts() {
        regex.push_str(&text.replace('.', "\\."));
        if let Some(variable) = variable {
            regex.push_str(&variable.pattern.replace('*', "[^/]+"));
        }
    }
    regex
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Config, ops::interface};

    #[test]
    fn a_template_is_a_regular_expression() {
        let regex = |template: &str| {
            regex(&Binding {
                verb: "post",
                template: template.to_owned(),
                has_body: true,
            })
        };
        assert_eq!(regex("/v1/documents"), "/v1/documents");
        assert_eq!(
            regex("/v1/wallets/{account}:batchTransfer"),
            "/v1/wallets/[^/]+:batchTransfer"
        );
        assert_eq!(
            regex("/v1/{name=verifications/*}:approve"),
            "/v1/verifications/[^/]+:approve"
        );
    }

    /// What a service may have begun is sent again only where that changes nothing.
    #[test]
    fn commands_are_sent_again_only_if_no_service_has_them() {
        let methods = interface::methods(&interface::pool().unwrap()).unwrap();
        let limits = Config::default().limits;
        let mut reads = 0;
        for method in &methods {
            let call = call(method, &limits);
            let on = call["route"]["retry_policy"]["retry_on"].as_str().unwrap();
            let writes = method.bindings.iter().any(|one| one.verb != "get");
            if writes || method.is_stream() {
                assert_eq!(on, NOT_SENT, "{}", method.path());
            } else {
                reads += 1;
                assert_eq!(on, ANY, "{}", method.path());
            }
        }
        assert!(reads > 10);
    }
}
