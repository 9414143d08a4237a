//! Why an operation may be refused: the reasons that its words name, with their own.

use std::collections::BTreeMap;

use anyhow::Context as _;
use gx_proto::gx::common::v1::Reason;
use prost_reflect::DescriptorPool;

use super::super::interface::{Method, comment};
use crate::{
    auth::policy::{self, Access},
    error::{code, reason_name},
};

/// What is said of each reason, by its name without the prefix.
pub(super) type Reasons = BTreeMap<&'static str, (Reason, String)>;

/// What any call may be refused for.
const ANY: [Reason; 7] = [
    Reason::MalformedMessage,
    Reason::UnknownMethod,
    Reason::RateLimited,
    Reason::Overloaded,
    Reason::Internal,
    Reason::Unavailable,
    Reason::Deadline,
];

/// What a call may be refused for that not everybody may make.
const NOT_PUBLIC: [Reason; 5] = [
    Reason::TokenMissing,
    Reason::TokenInvalid,
    Reason::TokenExpired,
    Reason::SessionRevoked,
    Reason::RoleMissing,
];

/// Every reason with its words.
pub(super) fn all(pool: &DescriptorPool) -> anyhow::Result<Reasons> {
    let kind = pool
        .get_enum_by_name("gx.common.v1.Reason")
        .context("the set has no reasons")?;
    let words = kind.values().filter_map(|value| {
        let reason = Reason::try_from(value.number()).ok()?;
        Some((
            reason_name(reason),
            (
                reason,
                comment(&value.parent_enum().parent_file(), value.path()),
            ),
        ))
    });
    Ok(words.collect())
}

/// Why a call may be refused, by HTTP status, and why the operation that it answers.
pub(super) fn of(
    method: &Method,
    methods: &[Method],
    reasons: &Reasons,
) -> (BTreeMap<u16, Vec<Reason>>, Vec<&'static str>) {
    let words = method.comment();
    let (call, operation) = words.split_once("peration with").unwrap_or((&words, ""));
    let mut found = named(call, reasons);
    if let Some(other) = fails_as(&words, methods) {
        found.extend(named(&other.comment(), reasons));
    }
    found.extend(ANY);
    if method.bindings.iter().any(|binding| binding.has_body) {
        found.push(Reason::MessageTooLarge);
    }
    if !is_public(method) {
        found.extend(NOT_PUBLIC);
    }
    let mut by_status: BTreeMap<u16, Vec<Reason>> = BTreeMap::new();
    for reason in found {
        let group = by_status.entry(http_status(reason)).or_default();
        if !group.contains(&reason) {
            group.push(reason);
        }
    }
    let operation = named(operation, reasons).into_iter().map(reason_name);
    (by_status, operation.collect())
}

/// Whether anybody may call it.
pub(super) fn is_public(method: &Method) -> bool {
    policy::find(&method.path()).is_some_and(|rule| !matches!(rule.access, Access::Roles(_)))
}

/// The reasons that follow "Fails with" or "ends with", in order.
fn named(words: &str, reasons: &Reasons) -> Vec<Reason> {
    let is_word = |c: char| c.is_ascii_uppercase() || c == '_';
    let words = words.split(|c: char| !is_word(c));
    words
        .filter_map(|word| Some(reasons.get(word)?.0))
        .collect()
}

/// The method that this one fails as.
fn fails_as<'a>(words: &str, methods: &'a [Method]) -> Option<&'a Method> {
    let (_, rest) = words.split_once("fails as ")?;
    let name = rest.split(|c: char| !c.is_alphanumeric()).next()?;
    methods
        .iter()
        .find(|method| method.descriptor.name() == name)
}

/// The status under which REST tells a reason: Envoy's for the canonical code, but what
/// Envoy refuses before there is a call.
fn http_status(reason: Reason) -> u16 {
    use tonic::Code::{
        Aborted, AlreadyExists, DeadlineExceeded, FailedPrecondition, InvalidArgument, NotFound,
        OutOfRange, PermissionDenied, ResourceExhausted, Unauthenticated, Unavailable,
    };
    match (reason, code(reason)) {
        (Reason::UnknownMethod, _) => 404,
        (Reason::MessageTooLarge, _) => 413,
        (_, InvalidArgument | FailedPrecondition | OutOfRange) => 400,
        (_, Unauthenticated) => 401,
        (_, PermissionDenied) => 403,
        (_, NotFound) => 404,
        (_, AlreadyExists | Aborted) => 409,
        (_, ResourceExhausted) => 429,
        (_, Unavailable) => 503,
        (_, DeadlineExceeded) => 504,
        _ => 500,
    }
}
