//! W3C trace context: a caller's trace is continued, or one begins here.

use std::fmt;

use http::HeaderMap;

use crate::id;

/// A place in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Traceparent {
    trace: [u8; 16],
    span: [u8; 8],
    flags: u8,
}

impl Traceparent {
    /// A new place in the caller's trace, or in a new one.
    pub(super) fn continued(headers: &HeaderMap) -> Self {
        let parent = headers
            .get("traceparent")
            .and_then(|value| value.to_str().ok())
            .and_then(parse);
        let (trace, flags) = match parent {
            Some(parent) => (parent.trace, parent.flags),
            None => (id::random_bytes(), 1),
        };
        Self {
            trace,
            span: id::random_bytes(),
            flags,
        }
    }

    /// The trace's id in hexadecimal.
    pub(super) fn trace_id(&self) -> String {
        hex::encode(self.trace)
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace, span) = (hex::encode(self.trace), hex::encode(self.span));
        write!(f, "00-{trace}-{span}-{:02x}", self.flags)
    }
}

/// Reads a `traceparent` of version 00, or of a later one that begins alike.
fn parse(text: &str) -> Option<Traceparent> {
    let mut parts = text.split('-');
    let version: [u8; 1] = lower_hex(parts.next()?)?;
    let parent = Traceparent {
        trace: lower_hex(parts.next()?)?,
        span: lower_hex(parts.next()?)?,
        flags: lower_hex::<1>(parts.next()?)?[0],
    };
    let well_formed = version != [0xff] && (version != [0] || parts.next().is_none());
    let named = parent.trace != [0; 16] && parent.span != [0; 8];
    (well_formed && named).then_some(parent)
}

fn lower_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    (lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const SENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn continued(text: &'static str) -> Traceparent {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", HeaderValue::from_static(text));
        Traceparent::continued(&headers)
    }

    #[test]
    fn a_valid_trace_is_continued_from_a_place_of_our_own() {
        let own = continued(SENT);
        assert_eq!(own.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_ne!(own.to_string(), SENT);
        assert_eq!(parse(&own.to_string()), Some(own));
        assert_eq!(own.flags, 1);
    }

    #[test]
    fn anything_else_begins_a_trace() {
        for bad in [
            "",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf9-00f067aa0ba902b7-01",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
            assert_ne!(continued(bad), continued(bad));
        }
    }
}
