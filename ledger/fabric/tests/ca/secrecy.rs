//! Keys and secrets stay where they belong.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use gx_fabric::ca::{Authority, Client, ClientOptions};
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::harness::{Ca, NAMES, START_MS, identity, partner, rustls_server};

/// Everything that is logged.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Every form in which a text could be shown.
fn forms(text: &str) -> [String; 2] {
    [text.to_owned(), BASE64_STANDARD.encode(text)]
}

#[tokio::test]
async fn neither_side_logs_a_secret_or_a_key() {
    let kept = Kept::default();
    let writer = kept.clone();
    let lines = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let logged = tracing::subscriber::set_default(lines);
    let ca = Ca::start().await;
    let secret = ca.secret(NAMES[0], "partner");
    let wrong: SecretString = "a wrong one that must not be shown".to_owned().into();
    let failed = ca.client().enroll(&partner(), &wrong).await.unwrap_err();
    let first = ca.enroll(&partner()).await.unwrap();
    let again = ca.client().reenroll(&partner(), &identity(&first)).await;
    let again = again.unwrap();
    drop(logged);

    let shown = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    let shown = format!("{shown} {failed} {failed:?} {first:?} {:?}", ca.registry);
    assert!(
        shown.contains("wrong secret") && shown.contains("is issued"),
        "{shown}"
    );
    let secrets = [secret.expose_secret(), wrong.expose_secret()];
    let logins = secrets.map(|secret| format!("partner:{secret}"));
    let keys = [&first.key, &again.key].map(|key| key.lines().nth(1).unwrap().to_owned());
    let hidden = secrets
        .into_iter()
        .map(str::to_owned)
        .chain(logins)
        .chain(keys);
    for text in hidden.flat_map(|text| forms(&text)) {
        assert!(!shown.contains(&text), "{text} is shown");
    }
}

/// Takes one request, answers it with `answer`, and gives its bytes.
async fn listen(answer: impl Fn(&str) -> String) -> (String, String) {
    let tls = Authority::create("tls", START_MS).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    let client = Client::new(ClientOptions {
        clock: Arc::new(|| START_MS),
        ..ClientOptions::new(url, tls.certificate_pem())
    });
    let client = client.unwrap();
    let secret = "hush-hush".to_owned().into();
    let asking = async { client.enroll(&partner(), &secret).await.unwrap_err() };
    let hearing = async {
        let (stream, _) = listener.accept().await.unwrap();
        let acceptor = TlsAcceptor::from(rustls_server(&tls));
        let mut stream = acceptor.accept(stream).await.unwrap();
        let mut heard = Vec::new();
        while !heard.ends_with(b"}") {
            stream.read_buf(&mut heard).await.unwrap();
        }
        let heard = String::from_utf8(heard).unwrap();
        let body = answer(&heard);
        let head = format!("HTTP/1.1 401 x\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        heard
    };
    let (failed, heard) = tokio::join!(asking, hearing);
    (format!("{failed} {failed:?}"), heard)
}

#[tokio::test]
async fn the_authority_sees_a_request_and_no_key() {
    let (_, heard) = listen(|_| String::new()).await;
    assert!(heard.contains("BEGIN CERTIFICATE REQUEST"), "{heard}");
    let (_, body) = heard.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let fields: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["attr_reqs", "certificate_request"]);
    assert!(!heard.contains("PRIVATE"), "{heard}");
}

#[tokio::test]
async fn a_secret_that_an_authority_says_back_is_not_shown() {
    let (shown, _) = listen(|_| {
        let message = "no, not hush-hush";
        let errors = [serde_json::json!({"code": 20, "message": message})];
        serde_json::json!({"result": "", "errors": errors, "success": false}).to_string()
    })
    .await;
    assert!(shown.contains("no, not (hidden)"), "{shown}");
    assert!(!shown.contains("hush-hush"), "{shown}");
}
