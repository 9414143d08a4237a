//! Log lines, on standard error: JSON for machines, text for people.

mod json;

use std::io::IsTerminal;

use anyhow::Context as _;
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};
use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    fmt::{format::Writer, time::FormatTime},
    layer::{Layered, SubscriberExt},
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
    filtered(filter, lines)
        .try_init()
        .context("installing the log's subscriber")
}

/// Lets through what the filter says. A filter of the layer alone would remember that
/// somebody asked whether a line is wanted, and leave out the next one of the thread.
fn filtered<L>(filter: EnvFilter, lines: L) -> impl Subscriber + Send + Sync
where
    L: Layer<Layered<EnvFilter, Registry>> + Send + Sync,
{
    tracing_subscriber::registry().with(filter).with(lines)
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
    fn a_question_whether_a_line_is_wanted_loses_no_other_line() {
        let kept = Kept::default();
        let lines = kept.layer();
        let filter = EnvFilter::new("info,elsewhere=warn");
        tracing::subscriber::with_default(filtered(filter, lines), || {
            assert!(!tracing::enabled!(target: "elsewhere", tracing::Level::INFO));
            tracing::info!("told");
        });
        assert_eq!(kept.lines().len(), 1);
    }

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(timestamp(1_763_028_930_123), "2025-11-13T10:15:30.123Z");
        assert_eq!(timestamp(1_763_028_930_100), "2025-11-13T10:15:30.100Z");
    }
}
