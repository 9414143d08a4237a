//! What `/metrics` and the probes say.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::Gx;

impl Gx {
    /// The sum of a metric over its labels.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        metric(self.metrics_port(), name).await
    }

    /// Status and body of `/readyz`.
    pub(crate) async fn ready(&self) -> (u16, String) {
        get(self.metrics_port(), "/readyz").await
    }
}

/// The sum over its labels of what a port says of a metric.
pub(super) async fn metric(port: u16, name: &str) -> f64 {
    let (_, text) = get(port, "/metrics").await;
    let samples: Vec<f64> = text
        .lines()
        .filter_map(|line| line.strip_prefix(name))
        .filter(|rest| rest.starts_with([' ', '{']))
        .filter_map(|rest| rest.rsplit(' ').next()?.parse().ok())
        .collect();
    assert!(!samples.is_empty(), "no metric {name} in\n{text}");
    samples.iter().sum()
}

/// One HTTP/1.1 call: the status and the body.
pub(super) async fn get(port: u16, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await;
    let stream = stream.as_mut().expect("the port of metrics");
    let request = format!("GET {path} HTTP/1.0\r\nhost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("HTTP");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    (status.expect("a status"), body.to_owned())
}
