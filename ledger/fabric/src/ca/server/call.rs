//! A request, read whole: small and soon, or not at all.

use std::time::Duration;

use axum::{body::to_bytes, extract::Request};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Method, Uri, header::AUTHORIZATION};
use serde::{Deserialize, de::DeserializeOwned};
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::Refusal;
use crate::{ca::token::Covered, msp::Certificate};

/// A body has at most so many bytes; a request for a certificate has about 1000.
const BODY_BYTES: usize = 64 << 10;
/// A body is there after so long.
const BODY_TIME: Duration = Duration::from_secs(10);

/// A request.
pub(super) struct Call {
    method: Method,
    uri: Uri,
    authorization: Option<Zeroizing<String>>,
    body: Bytes,
}

/// A name and what proves it.
pub(super) struct Login {
    pub(super) id: String,
    pub(super) secret: Zeroizing<String>,
}

/// As much of a body as says which authority is meant.
#[derive(Deserialize)]
struct Named {
    #[serde(default, alias = "CAName")]
    caname: Option<String>,
}

impl Call {
    pub(super) async fn read(request: Request) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let body = tokio::time::timeout(BODY_TIME, to_bytes(body, BODY_BYTES)).await;
        let body = body.ok().and_then(Result::ok).ok_or_else(Refusal::unread)?;
        let authorization = parts.headers.get(AUTHORIZATION);
        let authorization = authorization.and_then(|value| value.to_str().ok());
        Ok(Self {
            authorization: authorization.map(|value| value.to_owned().into()),
            method: parts.method,
            uri: parts.uri,
            body,
        })
    }

    pub(super) fn is(&self, methods: &[Method]) -> Result<(), Refusal> {
        match methods.contains(&self.method) {
            true => Ok(()),
            false => Err(Refusal::method(self.method.as_str())),
        }
    }

    /// The authority that is meant, by the query or else by the body.
    pub(super) fn authority(&self) -> Result<Option<String>, Refusal> {
        let query = self.uri.query().unwrap_or_default().as_bytes();
        let named = form_urlencoded::parse(query).find(|(name, _)| name == "ca");
        let named = named.map(|(_, value)| value.into_owned());
        if named.as_ref().is_some_and(|name| !name.is_empty()) {
            return Ok(named);
        }
        if self.body.is_empty() {
            return Ok(None);
        }
        let Named { caname } = self.json()?;
        Ok(caname.filter(|name| !name.is_empty()))
    }

    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        if self.body.is_empty() {
            return Err(Refusal::empty());
        }
        serde_json::from_slice(&self.body).map_err(|error| Refusal::body(&error))
    }

    /// Who says to be whom, by name and secret.
    pub(super) fn login(&self) -> Result<Login, Refusal> {
        let unreadable = || Refusal::stranger("no name and secret in the header");
        let (scheme, encoded) = self.token()?.split_once(' ').ok_or_else(unreadable)?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return Err(unreadable());
        }
        let decoded = BASE64_STANDARD.decode(encoded.trim()).ok();
        let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        let text = Zeroizing::new(text.ok_or_else(unreadable)?);
        let (id, secret) = text.split_once(':').ok_or_else(unreadable)?;
        Ok(Login {
            id: id.to_owned(),
            secret: secret.to_owned().into(),
        })
    }

    /// Whose key signed the request.
    pub(super) fn signer(&self) -> Result<Certificate, Refusal> {
        let covered = Covered {
            method: self.method.as_str(),
            uri: self.uri.path_and_query().map_or("/", |uri| uri.as_str()),
            body: &self.body,
        };
        let signer = covered.signer(self.token()?);
        signer.ok_or_else(|| Refusal::stranger("the header holds no token for this request"))
    }

    fn token(&self) -> Result<&str, Refusal> {
        let token = self
            .authorization
            .as_deref()
            .filter(|value| !value.is_empty());
        token
            .map(String::as_str)
            .ok_or_else(Refusal::no_authorization)
    }
}
