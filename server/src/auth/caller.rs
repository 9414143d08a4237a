//! Who calls, and what is known of the call.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use gx_proto::gx::identity::v1::Role;
use tokio_util::sync::CancellationToken;
use tonic::Request;
use uuid::Uuid;

use crate::error::{Error, Result};

/// A user's id off the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(pub Uuid);

impl UserId {
    /// The owner that operations of this user name.
    pub fn owner(self) -> String {
        self.0.to_string()
    }
}

/// Somebody signed in. Finders take this, so no row is read without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The user.
    pub user: UserId,
    /// The session that the access token belongs to.
    pub session: Uuid,
    /// From the server's records, not from the token.
    pub roles: Vec<Role>,
}

impl Caller {
    /// Whether the caller has one of the roles.
    pub fn has_any(&self, roles: &[Role]) -> bool {
        self.roles.iter().any(|role| roles.contains(role))
    }

    /// Whether the caller may read what belongs to others.
    pub fn reads_everything(&self) -> bool {
        self.has_any(&[Role::Auditor, Role::Admin, Role::SuperAdmin])
    }
}

/// What is known of a call beside its message.
#[derive(Debug, Clone)]
pub struct Context {
    /// The method as the policy names it, `/package.Service/Method`.
    pub method: &'static str,
    /// Names the call in logs, in the audit log and in `RequestInfo`.
    pub request_id: String,
    /// W3C trace context, if the caller sent one or the server began one.
    pub traceparent: Option<String>,
    /// The client's address.
    pub client: IpAddr,
    /// What the call is about, shared with the layer that records it.
    pub subject: Subject,
    /// Cancelled when the call's connection is to end.
    pub leaving: CancellationToken,
}

/// What a call is about: a resource name, once its handler has said it.
#[derive(Debug, Clone, Default)]
pub struct Subject(Arc<OnceLock<String>>);

impl Subject {
    /// The name; empty until it is said.
    pub fn name(&self) -> &str {
        self.0.get().map_or("", String::as_str)
    }
}

impl Context {
    /// Says what the call is about, for lines of the audit log that no handler
    /// writes. The first word stands.
    pub fn about(&self, subject: impl Into<String>) {
        let _ = self.subject.0.set(subject.into());
    }
}

/// Splits a request of a method that needs a caller.
///
/// # Errors
/// If no layer put a caller there: a fault of the server, since the policy is
/// checked before.
pub fn signed_in<M>(request: Request<M>) -> Result<(Caller, Context, M)> {
    let (_, mut extensions, message) = request.into_parts();
    let caller = extensions.remove::<Caller>();
    let context = extensions.remove::<Context>();
    match (caller, context) {
        (Some(caller), Some(context)) => Ok((caller, context, message)),
        _ => Err(Error::Internal(anyhow::anyhow!(
            "a call without caller or context"
        ))),
    }
}

/// Splits a request of a public method.
///
/// # Errors
/// As [`signed_in`].
pub fn anybody<M>(request: Request<M>) -> Result<(Context, M)> {
    let (_, mut extensions, message) = request.into_parts();
    let context = extensions
        .remove::<Context>()
        .ok_or_else(|| anyhow::anyhow!("a call without context"))?;
    Ok((context, message))
}
