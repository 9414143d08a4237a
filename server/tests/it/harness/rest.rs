//! HTTP as a REST client speaks it, and what it is answered.

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An answer with its whole body.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        let json = serde_json::from_slice(&self.body);
        json.unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A header as text; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("text"))
    }
}

/// A request to be completed: `GET /v1/supply`, with JSON if there is any.
pub(crate) fn request(line: &str, json: Option<&Value>) -> Request<Full<Bytes>> {
    let (method, path) = line.split_once(' ').expect("a verb and a path");
    let builder = Request::builder().method(method).uri(path);
    let builder = builder.header("host", "localhost");
    let builder = match json {
        Some(_) => builder.header("content-type", "application/json"),
        None => builder,
    };
    let body = json.map(Value::to_string).unwrap_or_default();
    builder.body(Full::from(body)).expect("a request")
}

/// Sends a request over a connection of its own, and answers as soon as there is a head.
pub(crate) async fn begin<B>(port: u16, request: Request<B>) -> Response<Incoming>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let stream = TcpStream::connect(("127.0.0.1", port)).await;
    let stream = TokioIo::new(stream.expect("the port"));
    let (mut sender, connection) = http1::handshake(stream).await.expect("HTTP/1.1");
    tokio::spawn(connection);
    sender.send_request(request).await.expect("an answer")
}

/// Sends a request and reads the whole answer.
pub(crate) async fn send<B>(port: u16, request: Request<B>) -> Answer
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let (head, body) = begin(port, request).await.into_parts();
    Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: body.collect().await.expect("a whole body").to_bytes(),
    }
}
