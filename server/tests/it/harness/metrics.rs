//! What `/metrics` and the probes say.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::Gx;

impl Gx {
    /// The sum of a metric over its labels and over all processes.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        metric(&self.metrics_ports(), name).await
    }

    /// The sum over all processes of one sample, which names its labels; 0 where none
    /// has it.
    pub(crate) async fn sample(&self, sample: &str) -> f64 {
        let texts = texts(&self.metrics_ports()).await;
        let values = texts.lines().filter_map(|line| line.strip_prefix(sample));
        values
            .filter_map(|rest| rest.strip_prefix(' ')?.parse::<f64>().ok())
            .sum()
    }

    /// Status and body of `/readyz` of the last process that started.
    pub(crate) async fn ready(&self) -> (u16, String) {
        let ports = self.metrics_ports();
        get(*ports.last().expect("a process"), "/readyz").await
    }
}

/// The sum over its labels of what some ports say of a metric.
pub(super) async fn metric(ports: &[u16], name: &str) -> f64 {
    let texts = texts(ports).await;
    let samples: Vec<f64> = texts
        .lines()
        .filter_map(|line| line.strip_prefix(name))
        .filter(|rest| rest.starts_with([' ', '{']))
        .filter_map(|rest| rest.rsplit(' ').next()?.parse().ok())
        .collect();
    assert!(!samples.is_empty(), "no metric {name} in\n{texts}");
    samples.iter().sum()
}

async fn texts(ports: &[u16]) -> String {
    let mut texts = String::new();
    for port in ports {
        texts.push_str(&get(*port, "/metrics").await.1);
    }
    texts
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
