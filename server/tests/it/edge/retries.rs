//! What Envoy sends again: reads, and of commands only what no service has seen.

use gx_proto::gx::common::v1::Reason;
use serde_json::{Value, json};

use super::upstream::{DIES, Upstream, WANTED};
use crate::harness::rest;

const TRANSFER: &str = "/gx.wallet.v1.WalletService/Transfer";
const SUPPLY: &str = "/gx.tokenomics.v1.TokenomicsService/GetSupply";

async fn ask(upstream: &Upstream, line: &str, body: Option<&Value>, wanted: &str) -> u16 {
    let mut request = rest::request(line, body);
    request
        .headers_mut()
        .insert(WANTED, wanted.parse().unwrap());
    upstream.gateway.send(request).await.status
}

#[tokio::test]
async fn a_command_is_never_sent_twice() {
    let upstream = Upstream::start(&[]).await;
    let transfer = "POST /v1/wallets/a/transfers";
    let body = json!({});
    let unavailable = i32::from(Reason::Unavailable).to_string();
    for wanted in [DIES, &unavailable] {
        assert_eq!(ask(&upstream, transfer, Some(&body), wanted).await, 503);
        assert_eq!(upstream.take_calls(), [TRANSFER], "{wanted}");
    }
}

#[tokio::test]
async fn a_read_is_sent_again_when_its_service_goes_away() {
    let upstream = Upstream::start(&[]).await;
    assert_eq!(ask(&upstream, "GET /v1/supply", None, DIES).await, 404);
    assert_eq!(upstream.take_calls(), [SUPPLY, SUPPLY]);
    let unavailable = i32::from(Reason::Unavailable).to_string();
    assert_eq!(
        ask(&upstream, "GET /v1/supply", None, &unavailable).await,
        503
    );
    assert_eq!(upstream.take_calls().len(), 3, "and not for ever");
}
