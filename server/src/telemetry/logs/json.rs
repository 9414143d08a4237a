//! Lines of JSON: `timestamp`, `level`, `service`, `traceId`, `userId`, `message`,
//! `duration_ms`, and beside them dotted fields of the event and its spans.
//!
//! `traceId`, `userId` and `duration_ms` stand only where they are known. Spans and
//! events name them `trace.id`, `user.id` and `duration_ms`.

use std::{collections::BTreeMap, fmt::Debug, io::Write};

use serde::Serialize;
use serde_json::Value;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, fmt::MakeWriter, layer::Context, registry::LookupSpan};

use super::timestamp;
use crate::clock::SharedClock;

/// Writes lines of JSON.
#[derive(Debug)]
pub struct Json<W> {
    service: &'static str,
    clock: SharedClock,
    writer: W,
}

impl<W> Json<W> {
    /// Lines of a service; a span may name another one.
    pub fn new(service: &'static str, clock: SharedClock, writer: W) -> Self {
        Self {
            service,
            clock,
            writer,
        }
    }

    fn line(&self, event: &Event<'_>, mut fields: Fields) -> Option<Vec<u8>> {
        let meta = event.metadata();
        event.record(&mut fields);
        let mut take = |name| fields.0.remove(name);
        let line = Line {
            timestamp: timestamp(self.clock.now_ms()),
            level: meta.level().as_str(),
            service: take("service").unwrap_or_else(|| self.service.into()),
            trace_id: take("trace.id"),
            user_id: take("user.id"),
            message: take("message").unwrap_or_else(|| "".into()),
            duration_ms: take("duration_ms"),
            target: meta.target(),
            fields: fields.0,
        };
        let mut bytes = serde_json::to_vec(&line).ok()?;
        bytes.push(b'\n');
        Some(bytes)
    }
}

impl<S, W> Layer<S> for Json<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(|scope| scope.from_root())
        {
            if let Some(outer) = span.extensions().get::<Fields>() {
                fields.0.extend(outer.0.clone());
            }
        }
        if let Some(line) = self.line(event, fields) {
            // Nobody is left to tell that the log cannot be written.
            let _ = self
                .writer
                .make_writer_for(event.metadata())
                .write_all(&line);
        }
    }
}

#[derive(Serialize)]
struct Line {
    timestamp: String,
    level: &'static str,
    service: Value,
    #[serde(rename = "traceId", skip_serializing_if = "Option::is_none")]
    trace_id: Option<Value>,
    #[serde(rename = "userId", skip_serializing_if = "Option::is_none")]
    user_id: Option<Value>,
    message: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<Value>,
    #[serde(rename = "log.target")]
    target: &'static str,
    #[serde(flatten)]
    fields: BTreeMap<&'static str, Value>,
}

/// Fields of an event or a span; an inner one replaces an outer one of its name.
#[derive(Default)]
struct Fields(BTreeMap<&'static str, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{
        io,
        sync::{Arc, Mutex, OnceLock},
    };

    use tracing::Dispatch;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::clock::ManualClock;

    /// Lines kept for a test.
    #[derive(Debug, Clone, Default)]
    pub(crate) struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Kept {
        /// A subscriber that writes here.
        pub(crate) fn subscriber(&self) -> impl Subscriber + Send + Sync + use<> {
            // With one subscriber alone, a line first reached by a thread without it
            // would be switched off everywhere.
            static ANOTHER: OnceLock<Dispatch> = OnceLock::new();
            ANOTHER.get_or_init(|| Dispatch::new(tracing_subscriber::registry()));
            tracing_subscriber::registry().with(self.layer())
        }

        /// A layer that writes here.
        pub(crate) fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
        where
            S: Subscriber + for<'a> LookupSpan<'a>,
        {
            let kept = self.clone();
            let clock = Arc::new(ManualClock::at(1_763_028_930_123));
            Json::new("gx", clock, move || kept.clone())
        }

        /// Every line.
        pub(crate) fn lines(&self) -> Vec<Value> {
            let bytes = self.0.lock().unwrap();
            let lines = bytes.split_inclusive(|byte| *byte == b'\n');
            lines
                .map(|line| serde_json::from_slice(line).unwrap())
                .collect()
        }
    }

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_has_the_fields_and_those_of_its_spans() {
        let kept = Kept::default();
        tracing::subscriber::with_default(kept.subscriber(), || {
            let call = tracing::error_span!(
                "call",
                service = "svc-identity",
                trace.id = "abc123",
                user.id = tracing::field::Empty,
                request.id = "one",
            );
            call.record("user.id", "user_xyz");
            call.in_scope(|| {
                tracing::info!(
                    duration_ms = 15,
                    rpc.code = "OK",
                    "User profile \"retrieved\"\n"
                );
            });
            tracing::warn!("alone");
        });
        let target = module_path!();
        assert_eq!(
            kept.lines(),
            [
                serde_json::json!({
                    "timestamp": "2025-11-13T10:15:30.123Z", "level": "INFO",
                    "service": "svc-identity", "traceId": "abc123", "userId": "user_xyz",
                    "message": "User profile \"retrieved\"\n", "duration_ms": 15,
                    "request.id": "one", "rpc.code": "OK", "log.target": target,
                }),
                serde_json::json!({
                    "timestamp": "2025-11-13T10:15:30.123Z", "level": "WARN",
                    "service": "gx", "message": "alone", "log.target": target,
                }),
            ]
        );
    }
}
