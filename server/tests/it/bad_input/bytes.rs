//! Bytes that are no message, messages that are too large, methods that are none.

use bytes::Bytes;
use gx_proto::gx::identity::v1::{Role, UploadDocumentRequest};
use http::{Request, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use tonic::{Code, Status, body::Body, transport::Channel};
use tower::{Service, ServiceExt};

use super::{Case, World};
use crate::harness::{GX, PNG, batched};

const TRANSFER: &str = "/gx.wallet.v1.WalletService/Transfer";
const MALFORMED: (Code, &str) = (Code::InvalidArgument, "MALFORMED_MESSAGE");
const UNKNOWN: (Code, &str) = (Code::Unimplemented, "UNKNOWN_METHOD");
const LARGE: (Code, &str) = (Code::ResourceExhausted, "MESSAGE_TOO_LARGE");

/// A message as gRPC frames it.
fn framed(flag: u8, message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).expect("a length");
    [&[flag], &length.to_be_bytes()[..], message]
        .concat()
        .into()
}

/// One call with any bytes as its body; the status of the answer.
async fn send(
    channel: Channel,
    token: String,
    path: String,
    content_type: &'static str,
    body: Bytes,
) -> Result<(), Status> {
    let request = Request::post(path)
        .header(CONTENT_TYPE, content_type)
        .header("te", "trailers")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::new(Full::new(body).map_err(|never| match never {})))
        .expect("a request");
    let mut channel = channel;
    let ready = channel.ready().await.expect("a connection");
    let response = ready.call(request).await.expect("an answer");
    let (head, body) = response.into_parts();
    if let Some(status) = Status::from_header_map(&head.headers) {
        return Err(status);
    }
    let collected = body.collect().await?;
    let trailers = collected.trailers().expect("trailers");
    match Status::from_header_map(trailers).expect("a status") {
        status if status.code() == Code::Ok => Ok(()),
        status => Err(status),
    }
}

pub(super) async fn cases(world: &World) -> Vec<Case> {
    let caller = world.gx.caller(&[Role::User]).await;
    let channel = world.gx.client().wallet;
    let raw = |path: &str, body: Bytes| {
        let (channel, token, path) = (channel.clone(), caller.token.clone(), path.to_owned());
        async move { send(channel, token, path, "application/grpc", body).await }
    };
    let garbage = [0xff; 40];
    let mut cases = vec![
        Case::new("garbage", MALFORMED, raw(TRANSFER, framed(0, &garbage))),
        Case::new(
            "a field cut short",
            MALFORMED,
            raw(TRANSFER, framed(0, b"\x0a\x20GX")),
        ),
        Case::new(
            "text that is no UTF-8",
            MALFORMED,
            raw(TRANSFER, framed(0, b"\x0a\x01\xff")),
        ),
        Case::new("no message", MALFORMED, raw(TRANSFER, Bytes::new())),
        Case::new(
            "half a frame",
            MALFORMED,
            raw(TRANSFER, Bytes::from_static(b"\0\0\0")),
        ),
        Case::new("compressed", MALFORMED, raw(TRANSFER, framed(1, &garbage))),
        Case::new(
            "a flag that is none",
            MALFORMED,
            raw(TRANSFER, framed(7, b"")),
        ),
    ];
    for path in [
        "/gx.wallet.v1.WalletService/Mint",
        "/gx.wallet.v1.WalletService/transfer",
        "/gx.contract.v1.Contract/Invoke",
        "/gx.wallet.v1.WalletService",
        "/",
    ] {
        cases.push(Case::new(
            "a method that is none",
            UNKNOWN,
            raw(path, framed(0, b"")),
        ));
    }
    cases.extend(large(world));
    cases
}

fn large(world: &World) -> Vec<Case> {
    let ten_megabytes = 10_000_000;
    let mut transfer = world.ann.to(&world.bee.account, GX, 0);
    transfer.reference = "x".repeat(ten_megabytes);
    let mut batched = batched(&world.bee.account, GX, 0);
    batched.reference.clone_from(&transfer.reference);
    let ann = world.ann.clone();
    let mut wallet = world.ann.client.wallet();
    let mut identity = world.newcomer.identity();
    let upload = UploadDocumentRequest {
        content: [PNG, &vec![0; ten_megabytes]].concat(),
        content_type: "image/png".to_owned(),
    };
    vec![
        Case::new("a transfer of 10 MB", LARGE, async move {
            wallet.transfer(transfer).await
        })
        .with(&[("limit_bytes", "65536")]),
        Case::new("a batch of 10 MB", LARGE, async move {
            ann.batch(vec![batched]).await
        })
        .with(&[("limit_bytes", "393216")]),
        Case::new("an upload of 10 MB", LARGE, async move {
            identity.upload_document(upload).await
        }),
    ]
}
