//! A refusal has one form, whoever made it: a `google.rpc.Status` as JSON, with an
//! ErrorInfo of ours and the request's id.

use bytes::Bytes;
use gx_proto::gx::{common::v1::Reason, identity::v1::ListPublicKeysRequest};
use gx_server::error::{code, reason_name};
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use tonic_types::StatusExt;

use super::upstream::{HANGS, Upstream, WANTED};
use crate::harness::{Client, Gateway, free_port, rest};

/// What an answer tells, with everything that every refusal must have.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    status: u16,
    code: i64,
    reason: String,
    retry: bool,
}

fn told(answer: &rest::Answer) -> Told {
    let body = answer.json();
    let is_known = |key: &String| ["code", "message", "details"].contains(&key.as_str());
    assert!(body.as_object().unwrap().keys().all(is_known), "{body}");
    assert!(!body["message"].as_str().unwrap().is_empty(), "{body}");
    let detail = |name: &str| {
        let kind = format!("type.googleapis.com/google.rpc.{name}");
        let mut details = body["details"].as_array().unwrap().iter();
        details.find(|detail| detail["@type"] == kind).cloned()
    };
    let info = detail("ErrorInfo").unwrap_or_else(|| panic!("no ErrorInfo: {body}"));
    assert_eq!(info["domain"], "gx", "{body}");
    assert!(info["metadata"].is_object(), "{body}");
    let request = detail("RequestInfo").unwrap_or_else(|| panic!("no RequestInfo: {body}"));
    let id = answer.header("x-request-id");
    assert_eq!(request["requestId"], id, "{body}");
    let is_one = |id: &str| {
        id.bytes()
            .all(|one| one.is_ascii_alphanumeric() || one == b'-')
    };
    assert!(!id.is_empty() && is_one(id), "{id}");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("cache-control"), "no-store");
    Told {
        status: answer.status,
        code: body["code"].as_i64().unwrap(),
        reason: info["reason"].as_str().unwrap().to_owned(),
        retry: detail("RetryInfo").is_some(),
    }
}

fn wanted(status: u16, code: i64, reason: &str) -> Told {
    Told {
        status,
        code,
        reason: reason.to_owned(),
        retry: ["UNAVAILABLE", "RATE_LIMITED"].contains(&reason),
    }
}

/// The status over HTTP of a canonical code, as Envoy and Google's guides have it.
fn http_status(code: i64) -> u16 {
    match code {
        3 | 9 | 11 => 400,
        16 => 401,
        7 => 403,
        5 => 404,
        6 | 10 => 409,
        8 => 429,
        12 => 501,
        14 => 503,
        4 => 504,
        _ => 500,
    }
}

#[tokio::test]
async fn every_reason_of_the_services_has_the_same_form() {
    let upstream = Upstream::start(&[]).await;
    let reasons = (1..200).filter_map(|number| Reason::try_from(number).ok());
    let mut seen = 0;
    for reason in reasons {
        seen += 1;
        let mut request = rest::request("POST /v1/wallets/a/transfers", Some(&json!({})));
        let number = i32::from(reason).to_string();
        let headers = request.headers_mut();
        headers.insert(WANTED, number.parse().unwrap());
        headers.insert("x-request-id", "request-1".parse().unwrap());
        let answer = upstream.gateway.send(request).await;
        // What the upstream completes as the services do.
        let mut answer = answer;
        answer
            .headers
            .insert("x-request-id", "request-1".parse().unwrap());
        let code = i64::from(i32::from(code(reason)));
        let told = told(&answer);
        assert_eq!(
            (told.status, told.code, &*told.reason),
            (http_status(code), code, reason_name(reason))
        );
        assert_eq!(answer.json()["message"], "as asked");
    }
    assert!(seen > 30);
}

/// Requests that no service sees: the line, the body, the status, and the reason.
fn refused_by_envoy() -> Vec<(&'static str, Option<Value>, Told)> {
    let small = || Some(json!({"contact": "a@example.org"}));
    let large = Some(json!({"contact": "a".repeat(100_000)}));
    let unknown = || wanted(404, 12, "UNKNOWN_METHOD");
    let malformed = || wanted(400, 3, "MALFORMED_MESSAGE");
    let register = "POST /v1/registrations";
    vec![
        ("GET /v1/nothing", None, unknown()),
        ("GET /", None, unknown()),
        ("DELETE /v1/supply", None, unknown()),
        ("POST /v1/supply", small(), unknown()),
        (
            "POST /gx.wallet.v1.WalletService/GetWallet",
            small(),
            unknown(),
        ),
        ("GET /v1/supply?colour=red", None, malformed()),
        ("GET /v1/supply?minBlock=many", None, malformed()),
        ("GET /v1/blocks%2F1", None, malformed()),
        (register, Some(json!([1])), malformed()),
        (register, Some(json!({"contact": {}})), malformed()),
        (register, large, wanted(413, 8, "MESSAGE_TOO_LARGE")),
    ]
}

#[tokio::test]
async fn what_envoy_refuses_has_the_form_of_the_services() {
    let upstream = Upstream::start(&[]).await;
    let gateway = &upstream.gateway;
    for (line, body, expected) in refused_by_envoy() {
        let answer = gateway.call(line, "", body.as_ref()).await;
        assert_eq!(told(&answer), expected, "{line}");
    }
    let form = Request::post("/v1/registrations")
        .header("host", "localhost")
        .header("content-type", "application/x-www-form-urlencoded");
    let form = form.body(Full::from("contact=a")).unwrap();
    let expected = wanted(415, 3, "MALFORMED_MESSAGE");
    assert_eq!(told(&gateway.send(form).await), expected);
    let long = rest::request(&format!("GET /v1/supply?a={}", "b".repeat(20_000)), None);
    let expected = wanted(431, 8, "MESSAGE_TOO_LARGE");
    assert_eq!(told(&gateway.send(long).await), expected);
    assert_eq!(
        upstream.take_calls(),
        [""; 0],
        "nothing of it came to a service"
    );
}

#[tokio::test]
async fn a_body_without_a_length_is_bounded_too() {
    let upstream = Upstream::start(&[]).await;
    let chunks = (0..100).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 2_000])));
    let body = axum::body::Body::from_stream(futures::stream::iter(chunks));
    let request = Request::post("/v1/registrations")
        .header("host", "localhost")
        .header("content-type", "application/json");
    let answer = rest::send(upstream.gateway.port, request.body(body).unwrap()).await;
    assert_eq!(told(&answer), wanted(413, 8, "MESSAGE_TOO_LARGE"));
    assert_eq!(upstream.take_calls(), [""; 0]);
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let once = [
        ("GX_LIMITS__ADDRESS_PER_S", "1"),
        ("GX_LIMITS__ADDRESS_BURST", "1"),
    ];
    let upstream = Upstream::start(&once).await;
    let mut last = upstream.gateway.call("GET /v1/nothing", "", None).await;
    while last.status == 404 {
        last = upstream.gateway.call("GET /v1/nothing", "", None).await;
    }
    assert_eq!(told(&last), wanted(429, 8, "RATE_LIMITED"));
    assert_eq!(last.header("retry-after"), "1");
}

#[tokio::test]
async fn a_service_that_is_away_is_told_over_rest_and_grpc() {
    let gateway = Gateway::at([(); 3].map(|()| free_port()), &[]).await;
    let answer = gateway.call("GET /v1/supply", "", None).await;
    assert_eq!(told(&answer), wanted(503, 14, "UNAVAILABLE"));
    assert_eq!(answer.header("retry-after"), "1");
    let mut identity = Client::to(gateway.port).identity();
    let status = identity.list_public_keys(ListPublicKeysRequest {}).await;
    let status = status.unwrap_err();
    let details = status.get_error_details();
    assert_eq!(status.code(), tonic::Code::Unavailable);
    assert_eq!(status.message(), "a part cannot be reached");
    assert_eq!(details.error_info().unwrap().reason, "UNAVAILABLE");
    assert!(details.retry_info().is_some());
    assert!(status.metadata().contains_key("x-request-id"));
}

#[tokio::test]
async fn a_service_that_says_nothing_is_told() {
    let upstream = Upstream::start(&[("GX_LIMITS__TIMEOUT_MS", "100")]).await;
    let mut request = rest::request("GET /v1/supply", None);
    request.headers_mut().insert(WANTED, HANGS.parse().unwrap());
    let answer = upstream.gateway.send(request).await;
    assert_eq!(told(&answer), wanted(504, 4, "DEADLINE"));
}
