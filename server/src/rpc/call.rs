//! What is known of one call: the method's rule, the request's id, the trace and the
//! client's address.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::OnceLock,
};

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio_util::sync::CancellationToken;

use super::{Gate, Request, address::client_address, traceparent::Traceparent};
use crate::{
    auth::{
        Caller, Context, Subject,
        policy::{self, Rule},
    },
    id,
};

/// Names the call; the client may give it, and gets it back.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest request id that is taken from a client.
const REQUEST_ID_LENGTH_MAX: usize = 128;

/// The address at the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// Cancelled when the connection is to end.
#[derive(Debug, Clone)]
pub(super) struct Leaving(pub(super) CancellationToken);

/// One call, as all that it passes know it.
#[derive(Debug)]
pub(super) struct Call {
    /// The method as it was asked for.
    pub(super) path: String,
    /// The policy's rule, if it knows the method.
    pub(super) rule: Option<&'static Rule>,
    /// Names the call.
    pub(super) request_id: String,
    /// The server's own place in the trace.
    pub(super) trace: Traceparent,
    /// The client's address.
    pub(super) client: IpAddr,
    /// Cancelled when its connection is to end.
    pub(super) leaving: CancellationToken,
    /// Who calls, once that is known.
    pub(super) caller: OnceLock<Caller>,
    /// What it is about, once the handler has said that.
    pub(super) subject: Subject,
}

impl Call {
    /// What the head of the request tells.
    pub(super) fn of(gate: &Gate, request: &Request) -> Self {
        let headers = request.headers();
        let peer = request.extensions().get::<Peer>();
        let peer = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0);
        let leaving = request.extensions().get::<Leaving>();
        Self {
            path: request.uri().path().to_owned(),
            rule: policy::find(request.uri().path()),
            request_id: request_id(headers),
            trace: Traceparent::continued(headers),
            client: client_address(peer, headers, &gate.limits.trusted_proxies),
            leaving: leaving.map_or_else(CancellationToken::new, |leaving| leaving.0.clone()),
            caller: OnceLock::new(),
            subject: Subject::default(),
        }
    }

    #[cfg(test)]
    pub(super) fn for_test(request_id: &str) -> Self {
        Self {
            path: String::new(),
            rule: None,
            request_id: request_id.to_owned(),
            trace: Traceparent::continued(&HeaderMap::new()),
            client: Ipv4Addr::LOCALHOST.into(),
            leaving: CancellationToken::new(),
            caller: OnceLock::new(),
            subject: Subject::default(),
        }
    }

    /// The method for labels: a name of the policy, or one for all others.
    pub(super) fn label(&self) -> &'static str {
        match self.rule {
            Some(rule) => rule.method,
            None if policy::is_infrastructure(&self.path) => "infrastructure",
            None => "unknown",
        }
    }

    /// Names the call in its answer.
    pub(super) fn name_in(&self, headers: &mut HeaderMap) {
        if let Ok(name) = HeaderValue::from_str(&self.request_id) {
            headers.insert(REQUEST_ID, name);
        }
    }

    /// What handlers are told of the call.
    pub(super) fn context(&self, rule: &Rule) -> Context {
        Context {
            method: rule.method,
            request_id: self.request_id.clone(),
            traceparent: Some(self.trace.to_string()),
            client: self.client,
            subject: self.subject.clone(),
            leaving: self.leaving.clone(),
        }
    }
}

/// The client's id for the request if it is sane, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    headers
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok())
        .filter(|id| is_sane(id))
        .map_or_else(|| id::random_uuid().to_string(), str::to_owned)
}

fn is_sane(id: &str) -> bool {
    (1..=REQUEST_ID_LENGTH_MAX).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sane_request_id_is_kept_and_others_are_replaced() {
        let with = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(id).unwrap());
            request_id(&headers)
        };
        assert_eq!(with("a-1_b.c:d"), "a-1_b.c:d");
        assert_eq!(with(&"a".repeat(128)).len(), 128);
        for bad in ["", "a b", "a\"b", &"a".repeat(129)] {
            let made = with(bad);
            assert_eq!(made.len(), 36, "{bad} became {made}");
        }
    }
}
