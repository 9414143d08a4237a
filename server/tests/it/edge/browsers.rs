//! Pages in browsers: gRPC-Web and REST from known origins, through the gateway.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tonic_types::StatusExt;

use crate::harness::{Database, Gateway, Gx, free_port, rest::Answer};

const PAGE: &str = "https://app.example.org";

const METHOD: &str = "/gx.tokenomics.v1.TokenomicsService/GetFeeSchedule";

/// An empty message, as gRPC frames it.
const EMPTY: &[u8] = &[0; 5];

async fn system() -> (Gx, Gateway) {
    let origins = [("GX_LISTEN__ORIGINS", PAGE)];
    let gx = Gx::start_with(Database::Sqlite, &origins).await;
    let gateway = Gateway::at(gx.service_ports(), &origins).await;
    (gx, gateway)
}

async fn grpc_web(gateway: &Gateway, path: &str) -> Answer {
    let request = Request::post(path)
        .header("host", "localhost")
        .header("origin", PAGE)
        .header("content-type", "application/grpc-web+proto")
        .header("x-grpc-web", "1");
    let body = Full::from(Bytes::from_static(EMPTY));
    gateway.send(request.body(body).unwrap()).await
}

/// Whether a page may read the answer: one origin, told once.
fn may_read(answer: &Answer) -> bool {
    let told = answer.headers.get_all("access-control-allow-origin");
    told.iter().collect::<Vec<_>>() == [PAGE]
}

#[tokio::test]
async fn a_page_calls_by_grpc_web() {
    let (_gx, gateway) = system().await;
    let answer = grpc_web(&gateway, METHOD).await;
    assert_eq!(answer.status, 200);
    assert!(may_read(&answer), "{answer:?}");
    assert_eq!(answer.body[0], 0, "a message");
    let text = String::from_utf8_lossy(&answer.body);
    assert!(text.contains("grpc-status:0"), "{text}");
}

#[tokio::test]
async fn a_page_may_read_refusals_too() {
    let (_gx, gateway) = system().await;
    let refused = grpc_web(&gateway, "/gx.identity.v1.IdentityService/GetMe").await;
    assert!(may_read(&refused), "{refused:?}");
    assert_eq!(refused.header("grpc-status"), "16");
    assert!(!refused.header("grpc-status-details-bin").is_empty());
    let request = |line: &str| {
        let (method, path) = line.split_once(' ').unwrap();
        let request = Request::builder().method(method).uri(path);
        let request = request.header("host", "localhost").header("origin", PAGE);
        request.body(Full::default()).unwrap()
    };
    for (line, status) in [("GET /v1/users/me", 401), ("GET /v1/nothing", 404)] {
        let answer = gateway.send(request(line)).await;
        assert_eq!(answer.status, status);
        assert!(may_read(&answer), "{line}: {answer:?}");
    }
}

/// Asserts that an answer is a refusal as gRPC-Web has it, which a page may read.
fn is_refused(answer: &Answer, code: tonic::Code, reason: &str) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/grpc-web+proto");
    assert!(may_read(answer) && answer.body.is_empty(), "{answer:?}");
    let status = tonic::Status::from_header_map(&answer.headers).expect("a status");
    assert_eq!(status.code(), code);
    assert!(!status.message().is_empty());
    let details = status.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, reason);
    assert!(details.retry_info().is_some());
}

#[tokio::test]
async fn a_page_is_told_by_grpc_web_what_envoy_refuses() {
    let away = [(); 3].map(|()| free_port());
    let gateway = Gateway::at(away, &[("GX_LISTEN__ORIGINS", PAGE)]).await;
    let refused = grpc_web(&gateway, METHOD).await;
    is_refused(&refused, tonic::Code::Unavailable, "UNAVAILABLE");

    let once = [
        ("GX_LISTEN__ORIGINS", PAGE),
        ("GX_LIMITS__ADDRESS_PER_S", "1"),
        ("GX_LIMITS__ADDRESS_BURST", "1"),
    ];
    let gateway = Gateway::at(away, &once).await;
    let mut last = grpc_web(&gateway, METHOD).await;
    while last.header("grpc-status") == "14" {
        last = grpc_web(&gateway, METHOD).await;
    }
    is_refused(&last, tonic::Code::ResourceExhausted, "RATE_LIMITED");
}

#[tokio::test]
async fn only_pages_of_known_origins_may_call() {
    let (_gx, gateway) = system().await;
    for (origin, is_known) in [
        (PAGE, true),
        ("https://evil.example.org", false),
        ("null", false),
    ] {
        for path in ["/v1/sessions", METHOD] {
            let request = Request::options(path)
                .header("host", "localhost")
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header(
                    "access-control-request-headers",
                    "authorization,content-type",
                );
            let answer = gateway.send(request.body(Full::default()).unwrap()).await;
            assert_eq!(may_read(&answer), is_known, "{origin} {path}: {answer:?}");
            assert_eq!(answer.status == 200, is_known);
            assert_eq!(answer.header("access-control-allow-credentials"), "");
        }
    }
}
