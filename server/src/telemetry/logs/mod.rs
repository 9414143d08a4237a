//! Log lines, on standard error: JSON for machines, text for people.

mod json;

use std::io::IsTerminal;

use anyhow::Context as _;
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};
use tracing_subscriber::{
    EnvFilter, Layer,
    fmt::{format::Writer, time::FormatTime},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::{
    clock::SharedClock,
    config::{Log, LogFormat},
};

pub use json::Json;

#[cfg(test)]
pub(crate) use json::tests::Kept;

/// Installs the subscriber of this process; `service` names it in its lines.
///
/// # Errors
/// If there is one already, or the filter cannot be read.
pub fn install(log: &Log, service: &'static str, clock: SharedClock) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.filter).context("log.filter")?;
    let lines = match log.format {
        LogFormat::Json => Json::new(service, clock, std::io::stderr).boxed(),
        LogFormat::Text => tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .with_timer(Times(clock))
            .boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .try_init()
        .context("installing the log's subscriber")
}

/// Times of text lines.
struct Times(SharedClock);

impl FormatTime for Times {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        writer.write_str(&timestamp(self.0.now_ms()))
    }
}

/// RFC 3339 with always three digits of milliseconds, so that lines sort as text.
const FORMAT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// A time in UTC.
fn timestamp(now_ms: i64) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(now_ms) * 1_000_000)
        .ok()
        .and_then(|time| time.format(FORMAT).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(timestamp(1_763_028_930_123), "2025-11-13T10:15:30.123Z");
        assert_eq!(timestamp(1_763_028_930_100), "2025-11-13T10:15:30.100Z");
    }
}
