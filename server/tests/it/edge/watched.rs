//! What operators see of the gateway: health, metrics, and one request from end to end.

use http_body_util::Full;

use crate::harness::{Database, Gateway, Gx, rest};

#[tokio::test]
async fn the_gateway_tells_that_it_lives_and_what_it_counted() {
    let gx = Gx::start(Database::Sqlite).await;
    let gateway = Gateway::start(&gx).await;
    assert_eq!(gateway.call("GET /healthz", "", None).await.status, 200);
    assert_eq!(gateway.call("GET /v1/supply", "", None).await.status, 200);
    let ask = async |line: &str| rest::send(gateway.metrics, rest::request(line, None)).await;
    assert_eq!(ask("GET /ready").await.status, 200);
    let text = ask("GET /metrics").await.body;
    let text = String::from_utf8_lossy(&text);
    let is_counted = |line: &str| {
        line.starts_with("envoy_cluster_grpc_0{")
            && line.contains("grpc_service=\"gx.tokenomics.v1.TokenomicsService\"")
            && line.contains("grpc_method=\"GetSupply\"")
    };
    assert!(text.lines().any(is_counted), "{text}");
    for line in ["GET /stats", "GET /config_dump", "POST /quitquitquit"] {
        assert_eq!(ask(line).await.status, 404, "{line}");
    }
}

#[tokio::test]
async fn a_request_has_one_name_and_one_trace_in_all_logs() {
    let gx = Gx::start(Database::Sqlite).await;
    let gateway = Gateway::start(&gx).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let mut request = rest::request("GET /v1/supply", None);
    let headers = request.headers_mut();
    headers.insert("x-request-id", "the-client-s-own-name".parse().unwrap());
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    headers.insert("traceparent", parent.parse().unwrap());
    let answer = gateway.send(request).await;
    assert_eq!(answer.header("x-request-id"), "the-client-s-own-name");
    gx.said_by("tokenomics", trace).await;
    gx.said_by("tokenomics", "the-client-s-own-name").await;
    let gateway = gateway
        .said("\"request.id\":\"the-client-s-own-name\"")
        .await;
    gateway.said("\"path\":\"/v1/supply\"").await;
}

#[tokio::test]
async fn the_description_of_rest_can_be_read_by_programs_and_people() {
    let gx = Gx::start(Database::Sqlite).await;
    let gateway = Gateway::start(&gx).await;
    let openapi = gateway.call("GET /openapi.json", "", None).await;
    assert_eq!(
        (openapi.status, &openapi.json()["openapi"]),
        (200, &"3.1.0".into())
    );
    let page = gateway.call("GET /docs", "", None).await;
    let policy = page.header("content-security-policy");
    assert_eq!(page.status, 200);
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    let text = String::from_utf8_lossy(&page.body);
    assert!(text.contains("/v1/wallets/{account}/transfers"));
    for other in ["<script", "src=", "href=\"http", "url(", "@import"] {
        assert!(!text.contains(other), "{other} stands in the page");
    }
}

/// The whole head is bounded and its parts are plain, whatever they are.
#[tokio::test]
async fn strange_requests_are_refused_and_stop_nobody() {
    let gx = Gx::start(Database::Sqlite).await;
    let gateway = Gateway::start(&gx).await;
    let nested = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    let bodies = [
        "",
        "null",
        "\u{0}",
        "{\"contact\":",
        "{\"contact\":\"\\ud800\"}",
        &nested,
    ];
    for body in bodies {
        let request = http::Request::post("/v1/registrations").header("host", "localhost");
        let request = request.header("content-type", "application/json");
        let request = request.body(Full::from(body.to_owned())).unwrap();
        let answer = gateway.send(request).await;
        assert_eq!(answer.status, 400, "{body:.40}: {answer:?}");
    }
    for line in [
        "GET /v1/wallets/%00",
        "GET /v1/wallets/..%2f..%2fetc",
        "GET /v1/wallets/a%5cb",
        "GET /v1/blocks/9999999999999999999999",
        "GET /v1/blocks?pageSize=-1",
        "GET /v1/blocks?pageSize=1&pageSize=2",
        "GET /v1/operations?states=NOTHING",
        "GET /v1/supply?minBlock.x=1",
        "TRACE /v1/supply",
        "PATCH /v1/supply",
    ] {
        let answer = gateway.call(line, "", None).await;
        assert!((400..500).contains(&answer.status), "{line}: {answer:?}");
    }
    assert_eq!(gateway.call("GET /v1/supply", "", None).await.status, 200);
}
