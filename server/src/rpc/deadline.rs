//! No call takes longer than its bound: the server's, or the client's if that is
//! shorter.

use std::time::Duration;

use gx_proto::gx::common::v1::Reason;
use http::HeaderMap;

use super::{Gate, call::Call};
use crate::error::{Error, Result};

/// WaitOperation waits up to a minute, and then needs time to answer.
pub(crate) const WAIT: Duration = Duration::from_secs(65);

/// The call's bound.
pub(super) fn of(gate: &Gate, call: &Call, headers: &HeaderMap) -> Duration {
    let ours = if waits(call) {
        WAIT
    } else {
        Duration::from_millis(gate.limits.timeout_ms)
    };
    asked(headers).map_or(ours, |asked| asked.min(ours))
}

/// Ends what takes longer.
pub(super) async fn within<T>(
    bound: Duration,
    answer: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::time::timeout(bound, answer)
        .await
        .unwrap_or_else(|_| Err(Error::rejected(Reason::Deadline, "the call took too long")))
}

/// Whether the method does nothing but wait.
pub(super) fn waits(call: &Call) -> bool {
    call.rule
        .is_some_and(|rule| rule.method.ends_with("/WaitOperation"))
}

/// The client's bound: up to eight digits and a unit, in `grpc-timeout`.
fn asked(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3_600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_clients_bound_is_read_as_the_protocol_says() {
        let read = |text| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", HeaderValue::from_static(text));
            asked(&headers)
        };
        assert_eq!(read("5S"), Some(Duration::from_secs(5)));
        assert_eq!(read("2M"), Some(Duration::from_secs(120)));
        assert_eq!(
            read("99999999H"),
            Some(Duration::from_secs(359_999_996_400))
        );
        assert_eq!(read("20m"), Some(Duration::from_millis(20)));
        for bad in ["", "S", "5", "5s", "-5S", "123456789S", "5 S"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
