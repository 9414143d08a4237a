//! Pages of known origins may call from a browser, and no others.

use super::*;

/// A preflight of an origin: the status and the lower-case head of the answer.
async fn preflight(server: &Server, origin: &str) -> (bool, String) {
    let request = format!(
        "OPTIONS {GET} HTTP/1.1\r\norigin: {origin}\r\n\
         access-control-request-method: POST\r\n\
         access-control-request-headers: authorization,content-type,x-grpc-web"
    );
    let answer = life::http(server, &request).await.to_lowercase();
    (answer.starts_with("http/1.1 200"), answer)
}

#[tokio::test]
async fn a_page_of_a_known_origin_may_call() {
    let server = Server::start().await;
    let (done, head) = preflight(&server, PAGE).await;
    assert!(done, "{head}");
    assert!(
        head.contains(&format!("access-control-allow-origin: {PAGE}\r\n")),
        "{head}"
    );
    for name in ["authorization", "content-type", "x-grpc-web"] {
        assert!(head.contains(name), "{head}");
    }
    assert!(!head.contains("allow-credentials"), "{head}");
}

#[tokio::test]
async fn a_page_of_another_origin_is_told_nothing() {
    let server = Server::start().await;
    for origin in [
        "https://evil.example.org",
        "null",
        "https://app.example.org.evil",
    ] {
        let (_, head) = preflight(&server, origin).await;
        assert!(
            !head.contains("access-control-allow-origin"),
            "{origin}: {head}"
        );
    }
}

/// The refusal of a call without a token, as a page reads it.
#[tokio::test]
async fn a_page_may_read_why_it_was_refused() {
    let server = Server::start().await;
    let request = format!(
        "POST {GET} HTTP/1.1\r\norigin: {PAGE}\r\ncontent-length: 0\r\n\
         content-type: application/grpc-web+proto"
    );
    let head = life::http(&server, &request).await.to_lowercase();
    assert!(
        head.contains(&format!("access-control-allow-origin: {PAGE}\r\n")),
        "{head}"
    );
    for name in ["grpc-status-details-bin", "x-request-id"] {
        assert!(
            head.matches(name).count() > 1,
            "{name} is there and may be read: {head}"
        );
    }
}
