//! Probes, health, reflection, browsers, and the end.

use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_stream::StreamExt;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use super::*;
use crate::telemetry::{State, logs::Kept};

/// One request over HTTP/1.1, and the whole answer.
pub(super) async fn http(server: &Server, head: &str) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = format!("{head}\r\nhost: gx\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn probes_answer_on_the_same_port() {
    let server = Server::start().await;
    server.get("user", "").await.unwrap();
    assert!(
        http(&server, "GET /healthz HTTP/1.1")
            .await
            .starts_with("HTTP/1.1 200")
    );
    let ready = http(&server, "GET /readyz HTTP/1.1").await;
    assert!(
        ready.starts_with("HTTP/1.1 200") && ready.contains("svc-wallet"),
        "{ready}"
    );
    server
        .readiness
        .set("database", State::NotReady("is away".to_owned()));
    let ready = http(&server, "GET /readyz HTTP/1.1").await;
    assert!(
        ready.starts_with("HTTP/1.1 503") && ready.contains("is away"),
        "{ready}"
    );
}

#[tokio::test]
async fn a_call_leaves_one_line_and_its_metrics() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _metrics = metrics::set_default_local_recorder(&recorder);
    let kept = Kept::default();
    let _lines = tracing::subscriber::set_default(kept.subscriber());
    let server = Server::start().await;
    server.get("user", "").await.unwrap();
    server.refused("partner", "").await;
    server.refused("user", "database").await;

    let lines: Vec<_> = kept
        .lines()
        .into_iter()
        .filter(|line| {
            line["log.target"]
                .as_str()
                .unwrap()
                .starts_with("gx_server")
        })
        .collect();
    let said: Vec<_> = lines
        .iter()
        .map(|line| line["message"].as_str().unwrap())
        .collect();
    assert_eq!(
        said,
        [
            "GetOperation answered OK",
            "GetOperation answered PERMISSION_DENIED",
            "request failed",
            "GetOperation answered INTERNAL",
        ]
    );
    assert_eq!(lines[0]["userId"], Uuid::from_u128(7).to_string());
    assert_eq!(lines[0]["traceId"].as_str().unwrap().len(), 32);
    assert_eq!(lines[2]["request.id"], lines[3]["request.id"]);
    assert!(lines[2]["error"].as_str().unwrap().contains("secret"));

    let text = recorder.handle().render();
    let labels = format!("service=\"svc-wallet\",method=\"{GET}\"");
    for expected in [
        format!("http_requests_total{{{labels},code=\"OK\"}} 1"),
        format!("http_requests_total{{{labels},code=\"PERMISSION_DENIED\"}} 1"),
        format!("http_request_duration_seconds_count{{{labels}}} 3"),
        "gx_auth_failures_total{reason=\"ROLE_MISSING\"} 1".to_owned(),
    ] {
        assert!(text.contains(&expected), "{expected} in {text}");
    }
}

#[tokio::test]
async fn a_call_whose_client_goes_away_is_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _metrics = metrics::set_default_local_recorder(&recorder);
    let server = Server::start().await;
    let mut client = OperationServiceClient::new(server.channel().await);
    let held = tokio::spawn(async move { client.get_operation(get("user", "hold")).await });
    server.service.entered.notified().await;
    held.abort();
    server.shutdown.cancel();
    server.task.await.unwrap().unwrap();
    let text = recorder.handle().render();
    assert!(text.contains("code=\"CANCELLED\"} 1"), "{text}");
}

#[tokio::test]
async fn browsers_get_complete_refusals_too() {
    let server = Server::start().await;
    let head = format!(
        "POST {GET} HTTP/1.1\r\ncontent-type: application/grpc-web+proto\r\ncontent-length: 0"
    );
    let answer = http(&server, &head).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains("grpc-status: 16") && answer.contains("grpc-status-details-bin"),
        "{answer}"
    );
}

async fn health(server: &Server, service: &str) -> Result<ServingStatus, Status> {
    let service = service.to_owned();
    let mut client = HealthClient::new(server.channel().await);
    let answer = client.check(HealthCheckRequest { service }).await?;
    Ok(answer.into_inner().status())
}

#[tokio::test]
async fn health_knows_the_services_of_the_port() {
    let server = Server::start().await;
    for service in ["", "gx.operation.v1.OperationService"] {
        assert_eq!(
            health(&server, service).await.unwrap(),
            ServingStatus::Serving
        );
    }
    let other = health(&server, "gx.wallet.v1.WalletService")
        .await
        .unwrap_err();
    assert_eq!(told(other).reason, "NOT_FOUND");
}

#[tokio::test]
async fn reflection_lists_what_the_port_serves() {
    let server = Server::start().await;
    let mut client = ServerReflectionClient::new(server.channel().await);
    let asked = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let answer = client
        .server_reflection_info(tokio_stream::once(asked))
        .await
        .unwrap();
    let answer = answer.into_inner().next().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("{answer:?}");
    };
    let names: Vec<_> = list
        .service
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    assert!(
        names.contains(&"gx.operation.v1.OperationService"),
        "{names:?}"
    );
    assert!(!names.contains(&"gx.wallet.v1.WalletService"), "{names:?}");
}

#[tokio::test]
async fn a_shutdown_is_announced_and_lets_calls_end() {
    let server = Server::start().await;
    let mut watcher = HealthClient::new(server.channel().await);
    let watched = watcher.watch(HealthCheckRequest::default()).await.unwrap();
    let mut watched = watched.into_inner();
    assert_eq!(
        watched.next().await.unwrap().unwrap().status(),
        ServingStatus::Serving
    );
    let mut client = OperationServiceClient::new(server.channel().await);
    let held = tokio::spawn(async move { client.get_operation(get("user", "hold")).await });
    server.service.entered.notified().await;

    server.shutdown.cancel();
    assert_eq!(
        watched.next().await.unwrap().unwrap().status(),
        ServingStatus::NotServing
    );
    assert!(!server.readiness.report().ready);
    assert!(!server.task.is_finished());
    server.service.leave.notify_one();
    held.await.unwrap().unwrap();
    server.task.await.unwrap().unwrap();
}

/// A stream that has said what it has to say, and stays open.
pub(super) async fn open(server: &Server) -> tonic::Streaming<WatchOperationResponse> {
    let mut client = OperationServiceClient::new(server.channel().await);
    let mut request = Request::new(WatchOperationRequest::default());
    let token = "Bearer user".parse().unwrap();
    request.metadata_mut().insert("authorization", token);
    let mut stream = client.watch_operation(request).await.unwrap().into_inner();
    stream.message().await.unwrap().unwrap();
    stream
}

/// The stream is told to leave.
async fn leaves(mut stream: tonic::Streaming<WatchOperationResponse>) {
    let end = stream.message().await.unwrap_err();
    let details = end.get_error_details();
    assert_eq!(end.code(), tonic::Code::Unavailable);
    assert_eq!(details.error_info().unwrap().reason, "UNAVAILABLE");
    assert!(details.retry_info().is_some());
    assert!(details.request_info().is_some(), "it names the call");
}

#[tokio::test]
async fn a_stream_takes_no_room_of_calls_and_ends_at_the_shutdown() {
    let server = Server::with(|limits| limits.concurrency = 1).await;
    let stream = open(&server).await;
    server.get("user", "").await.unwrap();
    server.shutdown.cancel();
    leaves(stream).await;
    server.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stream_outlasts_the_bound_of_calls_and_ends_with_its_connection() {
    let server = Server::with(|limits| {
        limits.timeout_ms = 1_000;
        limits.connection_age_s = 2;
    })
    .await;
    leaves(open(&server).await).await;
}

#[tokio::test]
async fn a_shutdown_waits_no_longer_than_its_bound() {
    let server = Server::with(|limits| limits.drain_ms = 1).await;
    let mut client = OperationServiceClient::new(server.channel().await);
    let held = tokio::spawn(async move { client.get_operation(get("user", "hold")).await });
    server.service.entered.notified().await;
    server.shutdown.cancel();
    server.task.await.unwrap().unwrap();
    held.await.unwrap().unwrap_err();
}
