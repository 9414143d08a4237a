//! A bare server of the same messages, to compare with: it answers `Transfer` at once
//! with an operation, and does nothing else.

use std::{
    convert::Infallible,
    io::{BufRead as _, BufReader},
    net::Ipv4Addr,
    process::{Child, Command, Stdio},
    task::{Context, Poll},
};

use anyhow::Context as _;
use futures::future::BoxFuture;
use gx_proto::gx::{
    operation::v1::{Operation, OperationMetadata, OperationState, OperationType},
    wallet::v1::{TransferRequest, TransferResponse},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Response, Status,
    body::Body,
    server::{Grpc, NamedService, UnaryService},
    transport::server::{Server, TcpIncoming},
};
use tonic_prost::ProstCodec;

use crate::config::{self, Config};

/// Serves until it is told to stop, and writes its port to stdout.
///
/// # Errors
/// If no port can be had.
pub async fn serve(_: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?.port());
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let server = Server::builder().add_service(Echo);
    let stopped = shutdown.cancelled_owned();
    server
        .serve_with_incoming_shutdown(incoming, stopped)
        .await?;
    Ok(())
}

/// A server in a process of its own; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Process {
    /// Where it answers.
    pub(super) place: String,
    child: Child,
}

impl Process {
    /// Starts one, and waits for its port.
    pub(super) fn start() -> anyhow::Result<Self> {
        let mut child = Command::new(config::program()?)
            .args(["bench", "echo-server"])
            .stdout(Stdio::piped())
            .spawn()
            .context("the echo server does not start")?;
        let out = child.stdout.take();
        let mut process = Self {
            place: String::new(),
            child,
        };
        let mut port = String::new();
        let out = out.context("the echo server has no output")?;
        BufReader::new(out).read_line(&mut port)?;
        let port: u16 = port
            .trim()
            .parse()
            .context("the echo server tells no port")?;
        process.place = format!("http://127.0.0.1:{port}");
        Ok(process)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Debug, Clone, Copy)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "gx.wallet.v1.WalletService";
}

impl UnaryService<TransferRequest> for Echo {
    type Response = TransferResponse;
    type Future = BoxFuture<'static, Result<Response<TransferResponse>, Status>>;

    fn call(&mut self, request: Request<TransferRequest>) -> Self::Future {
        let answer = answer(request.into_inner());
        Box::pin(std::future::ready(Ok(Response::new(answer))))
    }
}

/// As long as what GX answers.
fn answer(request: TransferRequest) -> TransferResponse {
    let metadata = OperationMetadata {
        r#type: OperationType::Transfer.into(),
        create_time: Some(prost_types::Timestamp {
            seconds: 1_800_000_000,
            nanos: 1_000_000,
        }),
        lane: "partner/0".to_owned(),
        ..OperationMetadata::default()
    };
    let operation = Operation {
        name: format!("operations/{}", "0".repeat(32)),
        request_id: request.request_id,
        state: OperationState::Accepted.into(),
        metadata: Some(metadata),
        result: None,
    };
    TransferResponse {
        operation: Some(operation),
    }
}

impl tower::Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let codec = ProstCodec::<TransferResponse, TransferRequest>::default();
            Ok(Grpc::new(codec).unary(Echo, request).await)
        })
    }
}
