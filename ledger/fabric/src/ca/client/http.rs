//! One request over a connection of its own: an authority is asked a few times a
//! year.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};
use url::{Host, Url};
use zeroize::Zeroizing;

use super::{ClientOptions, EnrolError, error::words};
use crate::ca::{
    tls,
    wire::{Answer, Issued},
};

/// How long a request may take in all.
const TIME: Duration = Duration::from_secs(30);
/// An answer has at most so many bytes.
const ANSWER_BYTES: usize = 1 << 20;

/// Where requests go.
pub(super) struct Http {
    url: Url,
    host: String,
    port: u16,
    name: ServerName<'static>,
    connector: TlsConnector,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Http {
    pub(super) fn new(options: &ClientOptions) -> Result<Self, EnrolError> {
        let setting = |fault: &dyn std::fmt::Display| EnrolError::Setting(fault.to_string());
        let url = Url::parse(&options.url).map_err(|error| setting(&error))?;
        let plain = url.path() == "/" && url.query().is_none() && url.username().is_empty();
        if url.scheme() != "https" || !plain || url.password().is_some() {
            return Err(setting(&"the URL must be https://host:port"));
        }
        let host = match url.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            host => host.map(|host| host.to_string()).unwrap_or_default(),
        };
        let name = options.server_name.clone().unwrap_or_else(|| host.clone());
        let name = ServerName::try_from(name).map_err(|error| setting(&error))?;
        let config = tls::client(&options.tls_authorities, options.clock.clone())
            .map_err(|error| setting(&format!("the authorities of the connection: {error}")))?;
        Ok(Self {
            port: url.port_or_known_default().unwrap_or(443),
            url,
            host,
            name,
            connector: config.into(),
        })
    }

    /// Asks for a certificate. `authorization` is never shown.
    pub(super) async fn post(
        &self,
        path: &str,
        body: Vec<u8>,
        authorization: Zeroizing<String>,
    ) -> Result<Issued, EnrolError> {
        let answered = match timeout(TIME, self.exchange(path, body, &authorization)).await {
            Ok(answered) => answered.map_err(|failure| self.unreachable(&chain(&*failure))),
            Err(_) => Err(self.unreachable("no answer in time")),
        };
        let (status, answer) = answered?;
        issued(status, &answer)
    }

    async fn exchange(
        &self,
        path: &str,
        body: Vec<u8>,
        authorization: &str,
    ) -> Result<(StatusCode, Bytes), Failure> {
        let stream = TcpStream::connect((&*self.host, self.port)).await?;
        let stream = self.connector.connect(self.name.clone(), stream).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let mut authorization = HeaderValue::from_str(authorization)?;
        authorization.set_sensitive(true);
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(HOST, self.url.authority())
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, authorization)
            .body(Full::new(Bytes::from(body)))?;
        let answered = async {
            let answer = sender.send_request(request).await?;
            let (status, body) = (answer.status(), answer.into_body());
            let body = Limited::new(body, ANSWER_BYTES).collect().await?;
            Ok((status, body.to_bytes()))
        };
        let mut connection = std::pin::pin!(connection);
        tokio::pin!(answered);
        tokio::select! {
            answered = &mut answered => answered,
            ended = &mut connection => {
                ended?;
                answered.await
            }
        }
    }

    fn unreachable(&self, message: &str) -> EnrolError {
        EnrolError::Unreachable {
            url: self.url.to_string(),
            message: message.to_owned(),
        }
    }
}

/// The header for name and secret.
pub(super) fn basic(login: &str) -> Zeroizing<String> {
    let encoded = Zeroizing::new(BASE64_STANDARD.encode(login));
    Zeroizing::new(format!("Basic {}", *encoded))
}

fn issued(status: StatusCode, body: &[u8]) -> Result<Issued, EnrolError> {
    let answer: Option<Answer<serde_json::Value>> = serde_json::from_slice(body).ok();
    if status.is_success() {
        let result = answer.filter(|answer| answer.success);
        let issued = result.and_then(|answer| serde_json::from_value(answer.result).ok());
        return issued.ok_or_else(|| EnrolError::Untrusted("it cannot be read".to_owned()));
    }
    let first = answer.and_then(|answer| answer.errors.into_iter().next());
    Err(EnrolError::Refused {
        status: status.as_u16(),
        code: first.as_ref().map_or(0, |first| first.code),
        message: first.map_or_else(|| "no words".to_owned(), |first| words(&first.message)),
    })
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    words(&causes.join(": "))
}
