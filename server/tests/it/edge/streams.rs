//! Streams over REST: a message a line, as they come, to be gone on with.

use http_body_util::BodyExt;
use serde_json::Value;

use crate::harness::{Database, GX, Gateway, Gx, rest};

/// A stream over REST, a line at a time.
struct Lines {
    body: hyper::body::Incoming,
    text: String,
}

impl Lines {
    async fn open(gateway: &Gateway, path: &str, token: &str) -> Self {
        let mut request = rest::request(&format!("GET {path}"), None);
        let value = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", value);
        let answer = rest::begin(gateway.port, request).await;
        assert_eq!(answer.status(), 200, "{path}");
        Self {
            body: answer.into_body(),
            text: String::new(),
        }
    }

    /// The next message; none at the end.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((line, rest)) = self.text.split_once('\n') {
                let message = serde_json::from_str(line).unwrap();
                self.text = rest.to_owned();
                return Some(message);
            }
            let data = self.body.frame().await?.unwrap().into_data();
            if let Ok(data) = data {
                self.text.push_str(std::str::from_utf8(&data).unwrap());
            }
        }
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_goes_on_where_it_was() {
    let gx = Gx::start(Database::Sqlite).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    ann.pay(ann.to(&bee.account, GX, 0)).await;
    let gateway = Gateway::start(&gx).await;
    let token = ann.client.token();
    let mut whole = Lines::open(&gateway, "/v1/blocks:stream", &token).await;
    let mut next = "0".to_owned();
    for _ in 0..4 {
        let path = format!("/v1/blocks:stream?fromBlock={next}");
        let mut cut = Lines::open(&gateway, &path, &token).await;
        let message = cut.next().await.unwrap();
        assert_eq!(message, whole.next().await.unwrap());
        next = message["nextBlock"].as_str().unwrap().to_owned();
    }
}

#[tokio::test]
async fn a_message_comes_when_it_happens_and_the_last_one_says_so() {
    let gx = Gx::start(Database::Sqlite).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let gateway = Gateway::start(&gx).await;
    let token = ann.client.token();
    let path = format!("/v1/wallets/{}:watch", ann.account);
    let mut wallet = Lines::open(&gateway, &path, &token).await;
    let before = wallet.next().await.unwrap();
    assert!(before["wallet"]["balanceQirat"].is_string(), "{before}");
    let sent = ann.sent(ann.to(&bee.account, GX, 0)).await;
    let path = format!("/v1/{}:watch", sent.name);
    let mut operation = Lines::open(&gateway, &path, &token).await;
    let mut last = Value::Null;
    while let Some(message) = operation.next().await {
        last = message;
    }
    assert_eq!(last["operation"]["state"], "OPERATION_STATE_SUCCEEDED");
    let mut after = wallet.next().await.unwrap();
    while after["entries"].as_array().is_none_or(Vec::is_empty) {
        after = wallet.next().await.unwrap();
    }
    assert_eq!(after["entries"][0]["operation"], last["operation"]["name"]);
}
