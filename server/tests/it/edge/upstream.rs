//! An upstream that answers every call with the refusal that its header asks for, or
//! goes away under it, and counts what reaches it.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Body, extract::State, response::Response};
use gx_proto::gx::common::v1::Reason;
use gx_server::error::{Error, complete};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use tokio::{net::TcpListener, task::JoinHandle};
use tonic::Status;

use crate::harness::Gateway;

/// A request asks by this header for the number of a reason, or for [`HANGS`].
pub(super) const WANTED: &str = "x-wanted";
/// Never answered.
pub(super) const HANGS: &str = "hangs";
/// The connection ends under the call, once.
pub(super) const DIES: &str = "dies";

/// A message of health's service that says SERVING, as gRPC frames it.
const SERVING: &[u8] = &[0, 0, 0, 0, 2, 8, 1];

/// The methods that came, in order.
type Calls = Arc<Mutex<Vec<String>>>;

/// A running upstream with Envoy in front of it.
pub(super) struct Upstream {
    pub(super) gateway: Gateway,
    calls: Calls,
    task: JoinHandle<()>,
}

impl Upstream {
    /// Starts both, with settings of the gateway.
    pub(super) async fn start(settings: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let calls = Calls::default();
        let router = Router::new().fallback(answer).with_state(calls.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            gateway: Gateway::at([port; 3], settings).await,
            calls,
            task,
        }
    }

    /// The methods that came since the last time, in order.
    pub(super) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(calls): State<Calls>, request: Request<Body>) -> Response {
    let path = request.uri().path().to_owned();
    if path.starts_with("/grpc.health.") {
        return healthy();
    }
    let (head, body) = request.into_parts();
    if body.collect().await.is_err() {
        // Envoy gave the call up: it has no message.
        return std::future::pending().await;
    }
    let is_first = {
        let mut calls = calls.lock().unwrap();
        calls.push(path);
        calls.len() == 1
    };
    let wanted = head.headers.get(WANTED).expect("a wish");
    match wanted.to_str().expect("text") {
        HANGS => std::future::pending().await,
        // The connection's task ends with it.
        DIES if is_first => panic!("as asked"),
        DIES => refusal(Reason::NotFound),
        number => refusal(Reason::try_from(number.parse::<i32>().unwrap()).unwrap()),
    }
}

fn healthy() -> Response {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().unwrap());
    let body = Full::from(SERVING).with_trailers(async { Some(Ok(trailers)) });
    let response = Response::builder().header("content-type", "application/grpc");
    response.body(Body::new(body)).unwrap()
}

/// A refusal as it leaves the services.
fn refusal(reason: Reason) -> Response {
    let error = Error::rejected(reason, "as asked").with("asked", "yes");
    let mut response = Status::from(error).into_http();
    complete(response.headers_mut(), "a method", "request-1");
    response
}
